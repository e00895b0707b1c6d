"""Charges calls from a file. Its one rule: a file gives what its rows one by one give."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from django.conf import settings

from credit.call_rows import CallRow
from credit.calls import BATCH, charge_calls
from members.models import Company
from skypemgr.lib.tables import read_rows

COLUMNS = ("source", "id", "member", "destination", "started_at", "duration_seconds")


@dataclass(slots=True)
class ImportedCalls:
    """What became of a file. ``refused`` names line, call and code of each row left out."""

    charged_count: int = 0
    already_count: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def codes(self) -> Counter[str]:
        """How many rows were refused for which reason."""
        return Counter(code for _line, _call, code in self.refused)


def import_calls(file: BinaryIO, company: Company, *, now: datetime | None = None) -> ImportedCalls:
    """The file's rows have been charged in file order; members are user names of the company.

    Raises UnreadableTable for a file that is no table. Importing it again charges nothing twice.
    """
    result = ImportedCalls()
    rows = list(read_rows(file, columns=COLUMNS, limit=settings.MAX_IMPORT_ROWS))
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        calls = [CallRow(*(row[column] for column in COLUMNS)) for _line, row in part]
        for (line, _row), outcome in zip(part, charge_calls(company, calls, now=now), strict=True):
            if outcome.status == "charged":
                result.charged_count += 1
            elif outcome.status == "already_there":
                result.already_count += 1
            else:
                result.refused.append((line, f"{outcome.source}:{outcome.id}", outcome.code))
    return result
