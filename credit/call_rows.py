"""Reads what a phone system or file says about a call. Its one rule: a bad row becomes a code,
never an error, and stops nothing else.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from credit.rating import is_emergency_number

LONGEST_CALL_SECONDS = 86_400
LONGEST_SOURCE, LONGEST_ID = 40, 100
AHEAD = timedelta(minutes=5)
NUMBER = re.compile(r"\+[0-9]{7,15}\Z")
SHORT_NUMBER = re.compile(r"[0-9]{2,6}\Z")
WHOLE = re.compile(r"[0-9]{1,9}\Z")


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as reported: raw values. ``member`` is an id (int) or a user name (str)."""

    source: Any
    id: Any
    member: Any
    destination: Any
    started_at: Any
    duration_seconds: Any


@dataclass(frozen=True, slots=True)
class ReportedCall:
    """A row that can be understood. ``destination`` is E.164, or short for an emergency."""

    source: str
    id: str
    member_id: int
    destination: str
    started_at: datetime
    duration_seconds: int

    @property
    def is_emergency(self) -> bool:
        """Whether the number was a short one; only emergency numbers are let through."""
        return not self.destination.startswith("+")


def read_row(
    row: CallRow, members: dict[int | str, int], *, country: str, now: datetime
) -> ReportedCall | str:
    """The call, or the code of what is wrong: missing_id, unknown_member, malformed_number,
    invalid_date, in_future, invalid_duration.
    """
    if not _is_name(row.source, LONGEST_SOURCE) or not _is_name(row.id, LONGEST_ID):
        return "missing_id"
    member_id = members.get(member_key(row.member))
    if member_id is None:
        return "unknown_member"
    destination = _number(row.destination, country)
    if destination is None:
        return "malformed_number"
    started_at = _instant(row.started_at)
    if started_at is None:
        return "invalid_date"
    if started_at > now + AHEAD:
        return "in_future"
    duration = _seconds(row.duration_seconds)
    if duration is None:
        return "invalid_duration"
    return ReportedCall(row.source, row.id, member_id, destination, started_at, duration)


def member_key(value: Any) -> int | str:
    """What a member is looked up by: an id, or a user name in lower case; empty for all else."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return value
    return value.strip().lower() if isinstance(value, str) else ""


def _is_name(value: Any, longest: int) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= longest
        and value.isprintable()
        and ":" not in value
    )


def _number(value: Any, country: str) -> str | None:
    if not isinstance(value, str):
        return None
    if NUMBER.match(value):
        return value
    if SHORT_NUMBER.match(value) and is_emergency_number(value, country):
        return value
    return None


def _instant(value: Any) -> datetime | None:
    """An ISO instant; without a zone it is UTC."""
    try:
        parsed = parse_datetime(value) if isinstance(value, str) else value
        if not isinstance(parsed, datetime):
            return None
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _seconds(value: Any) -> int | None:
    if isinstance(value, str) and WHOLE.match(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= LONGEST_CALL_SECONDS else None
