"""Very many members in the order of an amount: everybody once, and in that order."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command

from credit.member_filters import MemberFilters, filtered_members
from credit.models import Account
from credit.queries import member_order
from credit.queries.member_order import amount_of, cut_by_amount
from credit.queries.member_totals import read_totals, sum_up
from members.models import Company, Member
from skypemgr.lib.periods import utc_now

PAGE = 9
SORTS = ("balance", "-balance", "spent", "-spent", "activity", "-activity")
FILTERS = (
    MemberFilters(),
    MemberFilters(status="all"),
    MemberFilters(search="an"),
    MemberFilters(status="gone"),
    MemberFilters(below=Decimal(8)),
)


@pytest.fixture
def crowd(alice: Member) -> Company:
    """A hundred and twenty more: with calls, without a purse, suspended, gone."""
    call_command("generate_members", company=alice.company_id, count=120, seed=3)
    return alice.company


def amounts(company: Company, column: str, today: date) -> dict[int, object]:
    """By member id what the order goes by, 0 or the first day where there is none."""
    purses = Account.objects.filter(company=company, kind=Account.Kind.MEMBER)
    none: object = date.min if column == "last_booked_on" else Decimal(0)
    found: dict[int, object] = dict.fromkeys(
        Member.objects.filter(company=company).values_list("pk", flat=True), none
    )
    for purse in purses:
        is_old = purse.last_booked_on is None or purse.last_booked_on < today.replace(day=1)
        value = getattr(purse, column)
        if purse.member_id is not None and not (column == "month_spent" and is_old):
            found[purse.member_id] = value or none
    return found


def paged(company: Company, filters: MemberFilters, sort: str, today: date) -> list[int]:
    """The ids of all pages, one after the other."""
    totals = read_totals(company, filters, today=today)
    amount = amount_of(sort, totals.all, today)
    assert amount is not None
    chosen = filtered_members(company, filters, today=today)
    pks: list[int] = []
    for start in range(0, totals.count, PAGE):
        page = cut_by_amount(
            company,
            chosen,
            amount,
            count=totals.count,
            start=start,
            end=min(start + PAGE, totals.count),
            falling=sort.startswith("-"),
            is_narrowed=filters.is_narrowed,
        )
        assert len(page) == min(PAGE, totals.count - start)
        pks += page
    return pks


@pytest.mark.parametrize("most_tried", [0, 150, 100_000])
@pytest.mark.parametrize("sort", SORTS)
def test_the_pages_have_everybody_once_and_in_order(
    crowd: Company, sort: str, most_tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_order, "MOST_TRIED", most_tried)
    today = crowd.day_at(utc_now())
    for filters in FILTERS:
        pks = paged(crowd, filters, sort, today)
        expected = filtered_members(crowd, filters, today=today).values_list("pk", flat=True)
        assert sorted(pks) == sorted(expected)
        amount = amount_of(sort, read_totals(crowd, filters, today=today).all, today)
        assert amount is not None
        by_member = amounts(crowd, amount.column, today)
        told = [by_member[pk] for pk in pks]
        assert told == sorted(told, reverse=sort.startswith("-"))  # type: ignore[type-var]


def test_whoever_has_nothing_stands_by_name(crowd: Company) -> None:
    today = crowd.day_at(utc_now())
    filters = MemberFilters(status="all")
    with_none = read_totals(crowd, filters, today=today)
    count = with_none.count - with_none.all.with_balance
    assert count > 1
    for pks in (
        paged(crowd, filters, "balance", today)[:count],
        paged(crowd, filters, "-balance", today)[-count:],
    ):
        keys = [Member.objects.get(pk=pk).name_key for pk in pks]
        assert keys == sorted(keys)


def test_the_sums_are_those_of_each_status(crowd: Company) -> None:
    today = crowd.day_at(utc_now())
    totals = read_totals(crowd, MemberFilters(status="all"), today=today)
    for status in Member.Status.values:
        members = Member.objects.filter(company=crowd, status=status)
        purses = Account.objects.filter(company=crowd, member__status=status)
        assert totals.of([status]).count == members.count()
        assert totals.of([status]).balance == sum(purse.balance for purse in purses)
        assert totals.of([status]).with_balance == sum(purse.balance > 0 for purse in purses)
    assert totals.present_count == totals.of(("active", "suspended")).count


@pytest.mark.parametrize("status", ["", "active", "suspended", "gone", "all"])
def test_the_sums_of_a_whole_company_are_those_of_its_members(crowd: Company, status: str) -> None:
    today = crowd.day_at(utc_now())
    filters = MemberFilters(status=status)
    one_by_one = sum_up(filtered_members(crowd, filters, today=today), today)
    assert dict(read_totals(crowd, filters, today=today).by_status) == dict(one_by_one.by_status)
