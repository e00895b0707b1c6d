"""Long files: how fast they are written, beside the database's own COPY, and in how much memory.

Its one rule: a fresh process writes them, so that its memory is what the files took.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import django
from django.db import connection, transaction

from benchmarks.figures import Figure, at_least, at_most, memory, seconds

ROUNDS = 3
SHEET_ROWS = 200_000
CALLS = """
SELECT call.started_at, call.started_on, call.booked_on, member.name AS member, call.destination,
       call.country, call.duration_seconds, call.included_seconds, call.price, call.collected,
       call.uncollected, company.currency
  FROM credit_call call
  JOIN members_member member ON member.id = call.member_id
  JOIN members_company company ON company.id = call.company_id
 WHERE call.company_id = %(company)s
 ORDER BY call.id LIMIT %(limit)s
"""


def measure(company_id: int, calls: int) -> Iterator[Figure]:
    """A CSV of so many calls, and a workbook of at most 200,000."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.exports", str(company_id), str(calls)],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(answer.stdout)
    yield at_least(
        f"CSV of {calls:,} calls, of COPY's own {found['copy']:,.0f}/s", found["ratio"], 0.4, ""
    )
    yield at_most("memory of the process that wrote it", found["csv_memory"], 150, " MB")
    rows = min(calls, SHEET_ROWS)
    yield at_most(f"XLSX of {rows:,} rows", found["xlsx"], 40 * rows / SHEET_ROWS, " s")
    yield at_most("memory of the process that wrote both", found["xlsx_memory"], 150, " MB")


def main(company_id: int, calls: int) -> None:
    """The figures are printed as JSON."""
    # Only now: they read the settings.
    from skypemgr.lib.copying import copy_csv  # noqa: PLC0415
    from skypemgr.lib.exports import Table, write_workbook  # noqa: PLC0415

    parameters = {"company": company_id, "limit": calls}

    def plain() -> None:
        with tempfile.TemporaryFile() as file, connection.cursor() as cursor:
            rows = cursor.mogrify(CALLS, parameters).decode()
            cursor.copy_expert(f"COPY ({rows}) TO STDOUT (FORMAT csv)", file)

    def ours() -> None:
        with tempfile.TemporaryFile() as file:
            copy_csv(file, CALLS, parameters, language="fr")

    def workbook() -> None:
        with (
            tempfile.TemporaryFile() as file,
            transaction.atomic(),
            connection.chunked_cursor() as cursor,
        ):
            cursor.execute(CALLS, {**parameters, "limit": min(calls, SHEET_ROWS)})
            write_workbook(file, [Table("Calls", ["Call"] * 12, cursor)])

    found: dict[str, float] = {}
    plain()
    # In turn, so that both meet the same machine.
    rounds = [(seconds(plain), seconds(ours)) for _round in range(ROUNDS)]
    fastest, own = (min(times) for times in zip(*rounds, strict=True))
    found |= {"copy": calls / fastest, "ratio": fastest / own, "csv_memory": memory()}
    found |= {"xlsx": seconds(workbook), "xlsx_memory": memory()}
    print(json.dumps(found))


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]))
