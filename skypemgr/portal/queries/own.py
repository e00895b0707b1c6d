"""What members see of themselves. Its one rule: it starts at the member, never at the company."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from credit.models import Call
from skypemgr.lib.phones import readable_number


@dataclass(frozen=True)
class OwnCall:
    """One of the member's own calls, the number in full."""

    destination: str
    country: str
    started_at: datetime
    duration_seconds: int
    price: Decimal
    uncollected: Decimal


def read_own_calls(member_id: int, limit: int) -> list[OwnCall]:
    """The member's latest calls, newest first; one query."""
    rows = (
        Call.objects.filter(member_id=member_id)
        .order_by("-started_at", "-pk")
        .values_list(
            "destination", "country", "started_at", "duration_seconds", "price", "uncollected"
        )
    )
    return [OwnCall(readable_number(row[0]), *row[1:]) for row in rows[:limit]]
