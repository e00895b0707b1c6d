"""Every figure on the dashboard of any history equals a slow, simple recomputation from transfers
and calls.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from credit import usage_tops
from credit.accounts import ensure_accounts
from credit.ledger import Move, post_transfers
from credit.models import Transfer
from credit.rollup import roll_up_days
from credit.usage import By, Measures, Within
from credit.usage_rollup import roll_up_usage
from members.models import MemberPlacement
from skypemgr.lib.periods import add_months, first_of_next_month
from skypemgr.portal.queries.dashboard import read_board
from skypemgr.portal.queries.overview import Sums, read_overview
from skypemgr.portal.queries.rankings import read_rankings
from skypemgr.portal.scope import Scope
from tests.conftest import credit_company, give, make_company
from tests.credit.test_usage_stories import Story, _deck
from tests.credit.usage_kit import Facts
from tests.portal.conftest import post_recharge

__all__ = ["_deck"]

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)
ZERO = Decimal(0)


class Ledger:
    """The company's transfers and where its members belonged, read once."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.transfers = list(
            Transfer.objects.filter(company=scope.company).select_related("source", "destination")
        )
        self._places: dict[int, list[MemberPlacement]] = defaultdict(list)
        for row in MemberPlacement.objects.filter(company=scope.company).order_by("valid_from"):
            self._places[row.member_id].append(row)

    def is_within(self, member_id: int | None, day: date) -> bool:
        if member_id is None:
            return False
        if self.scope.member:
            return member_id == self.scope.member.pk
        if self.scope.list:
            rows = self._places[member_id]
            before = [row for row in rows if row.valid_from <= day]
            return (before[-1] if before else rows[0]).list_id == self.scope.list.pk
        return True

    def sums(self, first: date, last: date) -> Sums:
        found: dict[str, Decimal] = defaultdict(lambda: ZERO)
        count = 0
        for each in self.transfers:
            if not first <= each.booked_on <= last:
                continue
            gets = self.is_within(each.destination.member_id, each.booked_on)
            pays = self.is_within(each.source.member_id, each.booked_on)
            if each.kind == "allocation" and gets:
                found["allocated"] += each.amount
            elif each.kind == "auto_recharge" and gets:
                found["recharged"] += each.amount
            elif each.kind == "call" and pays:
                found["calls"] += each.amount
                count += 1
            elif each.kind == "reversal" and gets:
                found["calls"] -= each.amount
            elif each.kind == "purchase" and self.scope.is_company:
                found["purchased"] += each.amount
            elif each.kind == "feature" and self.scope.is_company:
                found["features"] += each.amount
        return Sums(**found, calls_count=count)

    def balance(self) -> Decimal:
        """What came in less what went out, of the purses that the dashboard means."""
        purses = "company" if self.scope.is_company else "member"
        total = ZERO
        for each in self.transfers:
            for account, sign in ((each.destination, 1), (each.source, -1)):
                mine = account.kind == purses
                if self.scope.member:
                    mine = account.member_id == self.scope.member.pk
                elif self.scope.list:
                    mine = account.member_id in self.present
                total += sign * each.amount if mine else ZERO
        return total

    @property
    def present(self) -> set[int]:
        """Who is in the list now."""
        members = self.scope.company.members.filter(list=self.scope.list)
        return set(members.values_list("pk", flat=True))


class Tale(Story):
    """A story in which credit is bought, given, drawn by rules, and taken by features."""

    def step(self, kind: str, who: int, number: int) -> None:
        member = self.members[who % 3]
        if kind == "buy":
            credit_company(self.company, f"{number + 1}.5", now=self.now)
        elif kind == "give":
            give(self.alice, member, f"{number % 3 + 1}.25", now=self.now)
        elif kind == "recharge":
            post_recharge(member, f"0.{number + 1}", uuid.uuid4().hex, now=self.now)
        elif kind == "feature":
            accounts = ensure_accounts(self.company, [])
            move = Move(
                "feature", accounts.company, accounts.features, Decimal("1.5"), uuid.uuid4().hex
            )
            post_transfers(self.company.pk, [move], now=self.now)
        elif kind == "roll days":
            roll_up_days(now=self.now)
        super().step(kind, who, number)


@contextmanager
def a_tale() -> Iterator[Tale]:
    with transaction.atomic():
        yield Tale(make_company("Random", "alice"))
        transaction.set_rollback(True)


def scopes(tale: Tale) -> list[Scope]:
    company, sales = tale.company, tale.lists[1]
    return [
        Scope(company),
        Scope(company, list=sales),
        *(Scope(company, member=member) for member in tale.members[:2]),
    ]


def check_sums(scope: Scope, today: date) -> None:
    overview, ledger = read_overview(scope, today), Ledger(scope)
    for period in overview.periods:
        assert period.now == ledger.sums(*period.days), (scope.name, period.name)
        assert period.then == ledger.sums(*period.before), (scope.name, period.name)
    for first, sums in overview.months:
        assert sums == ledger.sums(first, first_of_next_month(first) - A_DAY), (scope.name, first)
    for day, sums in overview.month_days:
        assert sums == ledger.sums(day, day), (scope.name, day)
    last = ledger.sums(today - 29 * A_DAY, today)
    spent = last.allocated + last.recharged if scope.is_company else last.calls
    assert overview.pace * 30 == pytest.approx(spent)


def check_rankings(scope: Scope, today: date) -> None:
    month = today.replace(day=1)
    facts = Facts(scope.company)
    within = Within(list_id=scope.list_id, member_id=scope.member_id)
    for ranking in read_rankings(scope, today):
        if ranking.name == "members":
            found = facts.members(month, first_of_next_month(month) - A_DAY, within)
        else:
            by = {"lists": By.LIST, "destinations": By.DESTINATION}.get(
                ranking.name, By.COST_CENTRE
            )
            found = facts.usage(month, first_of_next_month(month) - A_DAY, by, within)
        amounts = sorted((started.collected for started, _booked in found.values()), reverse=True)
        assert [row.amount for row in ranking.rows] == amounts[:6], (scope.name, ranking.name)
        assert ranking.total == sum(amounts, ZERO)
        total = sum((started for started, _booked in found.values()), Measures())
        assert sum(row.calls_count for row in ranking.rows) <= total.calls_count


def check_that_few_tried_are_enough(scope: Scope, today: date) -> None:
    def first(members: int) -> list[usage_tops.SpentByMember]:
        return usage_tops.read_tops(
            scope.company, today, by=[By.DESTINATION], members=members, list_id=scope.list_id
        ).members

    everybody = first(100)
    for tried in (1, 2, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(usage_tops, "TRIED", tried)
            assert first(1) == everybody[:1]
            assert first(2) == everybody[:2]


def check(tale: Tale) -> None:
    today = tale.company.day_at(tale.now)
    for scope in scopes(tale):
        for day in (today, add_months(today, 1) + 14 * A_DAY):
            check_sums(scope, day)
            check_rankings(scope, day)
            if scope.member is None:
                check_that_few_tried_are_enough(scope, day)
        board = read_board(scope, viewer=None, now=tale.now)
        assert board.balance == Ledger(scope).balance(), scope.name


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("call", "call", "call", "reported late", "stored late", "place", "zone"),
                *("buy", "give", "give", "recharge", "feature", "correct", "roll", "roll days"),
            ]
        ),
        st.integers(0, 5),
        st.integers(0, 12),
    ),
    min_size=4,
    max_size=25,
)


@settings(max_examples=4, deadline=None)
@given(steps=STEPS)
def test_any_history_is_shown_as_its_transfers_and_calls_tell_it(
    steps: list[tuple[str, int, int]],
) -> None:
    with a_tale() as tale:
        for step in steps:
            tale.step(*step)
        check(tale)
        roll_up_days(now=tale.now + timedelta(days=9))
        roll_up_usage(now=tale.now + timedelta(days=9))
        check(tale)
