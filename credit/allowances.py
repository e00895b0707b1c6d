"""Included minutes: the calls that they pay for. Its one rule: the allowance that ends soonest goes
first, and what one call has set aside no other takes.

Seconds taken are billed seconds, as the rate rounds them. Allowances are locked before the purses,
in order of pk.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from credit.models import Allowance, AllowanceHold, Hold
from members.models import Company
from skypemgr.lib.arrays import Among, array
from skypemgr.lib.periods import utc_now

STORE = """
UPDATE credit_allowance allowance
   SET seconds_left = changed.seconds_left, seconds_held = changed.seconds_held
  FROM unnest(%(ids)s::bigint[], %(left)s::int[], %(held)s::int[])
    AS changed (id, seconds_left, seconds_held)
 WHERE allowance.id = changed.id
"""
STORE_USES = """
INSERT INTO credit_allowanceuse (call_id, allowance_id, seconds)
SELECT * FROM unnest(%(calls)s::bigint[], %(allowances)s::bigint[], %(seconds)s::int[])
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Included minutes to be opened for a member; ``seconds`` > 0."""

    member_id: int
    prefixes: tuple[str, ...]
    seconds: int
    starts_at: datetime
    ends_at: datetime


def open_allowances(
    company: Company, wanted: Iterable[Wanted], *, now: datetime | None = None
) -> list[Allowance]:
    """Inside the transaction of what grants them: the allowances can be used. One statement."""
    at = now or utc_now()
    return Allowance.objects.bulk_create(
        Allowance(
            company=company,
            member_id=each.member_id,
            prefixes=list(each.prefixes),
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            seconds_total=each.seconds,
            seconds_left=each.seconds,
            created_at=at,
        )
        for each in wanted
    )


@dataclass(frozen=True, slots=True)
class Share:
    """So many seconds of one allowance."""

    allowance_id: int
    seconds: int


class IncludedMinutes:
    """The locked allowances of some members, used in memory until ``store`` writes them."""

    def __init__(self, allowances: Iterable[Allowance], holds: Iterable[AllowanceHold]) -> None:
        self._by_id = {allowance.pk: allowance for allowance in allowances}
        self._by_member: dict[int, list[Allowance]] = defaultdict(list)
        for allowance in sorted(self._by_id.values(), key=lambda each: (each.ends_at, each.pk)):
            self._by_member[allowance.member_id].append(allowance)
        self._held: dict[int, list[Share]] = defaultdict(list)
        for row in holds:
            self._held[row.hold_id].append(Share(row.allowance_id, row.seconds))
        self._changed: set[int] = set()

    @classmethod
    def lock(
        cls,
        company_id: int,
        member_ids: Collection[int],
        *,
        since: datetime,
        until: datetime,
        hold_ids: Sequence[int] = (),
    ) -> "IncludedMinutes":
        """What the members may use for calls started from ``since`` to ``until``, and what the
        holds have set aside. One query without holds, two with; call it before the purses are
        locked.
        """
        open_holds = Q(hold__in=hold_ids, hold__status=Hold.Status.OPEN)
        holds = list(AllowanceHold.objects.filter(open_holds)) if hold_ids else []
        usable = Q(
            Among("member_id", member_ids),
            ends_at__gt=since,
            starts_at__lte=until,
            seconds_left__gt=0,
        )
        allowances = (
            Allowance.objects.filter(usable | Q(pk__in={row.allowance_id for row in holds}))
            .filter(company_id=company_id)
            .order_by("pk")
            .select_for_update(no_key=True, of=("self",))
        )
        return cls(allowances, holds)

    def free(self, member_id: int, digits: str, at: datetime) -> int:
        """The seconds that a call to these digits (without ``+``), started then, may take."""
        return sum(each.seconds_free for each in self._usable(member_id, digits, at))

    def take(self, member_id: int, digits: str, at: datetime, seconds: int) -> list[Share]:
        """At most so many seconds are used up; which allowance gave how many."""
        shares = self._share(member_id, digits, at, seconds)
        for share in shares:
            self._by_id[share.allowance_id].seconds_left -= share.seconds
        return shares

    def hold(self, member_id: int, digits: str, at: datetime, seconds: int) -> list[Share]:
        """At most so many seconds are set aside."""
        shares = self._share(member_id, digits, at, seconds)
        for share in shares:
            self._by_id[share.allowance_id].seconds_held += share.seconds
        return shares

    def give_back(self, hold_id: int) -> None:
        """What the hold had set aside is free again."""
        for share in self._held.pop(hold_id, ()):
            self._by_id[share.allowance_id].seconds_held -= share.seconds
            self._changed.add(share.allowance_id)

    def store(self, uses: Sequence[tuple[int, Share]] = ()) -> None:
        """What changed is written, and which call (by pk) used what. At most two statements."""
        changed = [self._by_id[pk] for pk in sorted(self._changed)]
        self._changed.clear()
        if not changed:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                STORE,
                {
                    "ids": array(each.pk for each in changed),
                    "left": array(each.seconds_left for each in changed),
                    "held": array(each.seconds_held for each in changed),
                },
            )
            if uses:
                cursor.execute(
                    STORE_USES,
                    {
                        "calls": array(call for call, _share in uses),
                        "allowances": array(share.allowance_id for _call, share in uses),
                        "seconds": array(share.seconds for _call, share in uses),
                    },
                )

    def _usable(self, member_id: int, digits: str, at: datetime) -> list[Allowance]:
        """Soonest end first."""
        return [
            each
            for each in self._by_member.get(member_id, ())
            if each.starts_at <= at < each.ends_at and digits.startswith(tuple(each.prefixes))
        ]

    def _share(self, member_id: int, digits: str, at: datetime, seconds: int) -> list[Share]:
        shares: list[Share] = []
        for allowance in self._usable(member_id, digits, at):
            given = min(seconds, allowance.seconds_free)
            if given > 0:
                shares.append(Share(allowance.pk, given))
                self._changed.add(allowance.pk)
                seconds -= given
        return shares
