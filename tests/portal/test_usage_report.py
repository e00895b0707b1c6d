"""The usage report: each figure is what the calls say, and meets the movements."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.closing import close_months
from credit.models import Call, Rate, Transfer
from credit.rollup import roll_up_days
from credit.usage_rollup import roll_up_usage
from members.models import Company, Member
from skypemgr.portal.reports.base import Filters, Report, Rows
from skypemgr.portal.reports.catalogue import read_report
from skypemgr.portal.spans import Span, find_span
from tests.conftest import ClientOf, credit_company, give, make_member
from tests.portal.conftest import NOW

BEGIN = datetime(2026, 8, 1, tzinfo=UTC)
MINUTE = Decimal("0.06")


@pytest.fixture
def people(alice: Member, bob: Member) -> list[Member]:
    """Members of Acme with credit, some of them too little."""
    Rate.objects.create(
        prefix="33",
        kind="landline",
        country="FR",
        price_per_minute=MINUTE,
        currency="EUR",
        valid_from="2026-01-01",
    )
    Rate.objects.create(
        prefix="44",
        kind="mobile",
        country="GB",
        price_per_minute=MINUTE * 2,
        currency="EUR",
        valid_from="2026-01-01",
    )
    company = alice.company
    credit_company(company, "1000", now=BEGIN)
    found = [bob, *(make_member(company, f"p{number}") for number in range(3))]
    for place, member in enumerate(found):
        give(alice, member, Decimal(1 + place * 40), now=BEGIN)
    return found


def call_at_random(people: list[Member], seed: int, count: int = 60) -> None:
    """Calls of seven weeks, every fourth reported up to 25 days late."""
    lot = random.Random(seed)
    for number in range(count):
        started = BEGIN + timedelta(minutes=lot.randrange(7 * 7 * 24 * 60))
        late = timedelta(days=lot.randrange(25)) if lot.random() < 0.25 else timedelta(minutes=20)
        member = lot.choice(people)
        destination = lot.choice(["+33142278186", "+447700900123"])
        row = CallRow("t", str(number), member.pk, destination, started, lot.randrange(1, 900))
        now = min(started + late + timedelta(minutes=20), NOW)
        charge_calls(member.company, [row], now=max(now, started + timedelta(minutes=16)))


def spans(company: Company) -> list[Span]:
    wanted: list[dict[str, str]] = [
        {"month": "2026-08"},
        {"month": "2026-09"},
        {"year": "2026"},
        {"from": "2026-08-10", "to": "2026-09-09"},
        {"from": "2026-08-10", "to": "2026-09-20"},
        {"from": "2026-09-01", "to": "2026-09-01"},
    ]
    return [find_span(company, each, now=NOW) for each in wanted]


def started_in(company: Company, span: Span) -> list[Call]:
    calls = Call.objects.filter(company=company).select_related("member")
    return [call for call in calls if span.first <= call.started_on <= span.last]


def values(report: Report, key: str) -> list[Any]:
    place = [column.key for column in report.columns].index(key)
    return [row[place] for row in report.rows()]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_cut_of_each_span_adds_up_to_the_calls_and_meets_the_movements(
    people: list[Member], seed: int
) -> None:
    company = people[0].company
    call_at_random(people, seed)
    for is_rolled in (False, True):
        if is_rolled:
            roll_up_days(now=NOW)
            roll_up_usage(now=NOW)
        for span in spans(company):
            calls = started_in(company, span)
            paid = sum((call.collected for call in calls), Decimal(0))
            for by in ("member", "day", "month", "list", "cost_centre", "destination"):
                report = read_report("usage", company, span, Filters(by=by))
                assert report.totals["calls"] == sum(values(report, "calls")) == len(calls)
                assert report.totals["paid"] == sum(values(report, "paid")) == paid
                assert report.totals["seconds"] == sum(call.billed_seconds for call in calls)
                booked = Transfer.objects.filter(
                    company=company, kind="call", booked_on__range=(span.first, span.last)
                )
                assert report.meeting is not None
                assert report.meeting.booked == sum(
                    booked.values_list("amount", flat=True), Decimal(0)
                )


def test_lines_of_members_are_sorted_and_paged_the_same(people: list[Member]) -> None:
    company = people[0].company
    call_at_random(people, 4)
    span = find_span(company, {"year": "2026"}, now=NOW)
    spent: dict[str, Decimal] = defaultdict(Decimal)
    for call in started_in(company, span):
        spent[call.member.name] += call.collected
    report = read_report("usage", company, span)
    assert values(report, "paid") == sorted(spent.values(), reverse=True)
    assert {row[1]: row[6] for row in report.rows()} == spent
    by_name = read_report("usage", company, span, Filters(sort="member"))
    assert values(by_name, "member") == sorted(spent)
    assert [*by_name.read(0, 1), *by_name.read(1, 2)] == list(by_name.rows())[:3]


def test_beyond_the_last_of_many_members_there_are_no_lines(
    people: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skypemgr.portal.reports.usage.FIRST_PAGE", 2)
    call_at_random(people, 4)
    company = people[0].company
    rows = Rows(read_report("usage", company, find_span(company, {"year": "2026"}, now=NOW)))
    assert len(rows) == 4
    assert list(rows[3:8]) == list(rows)[3:]
    assert list(rows[8:12]) == []


def test_calls_reported_after_closing_stand_below_with_their_day(
    people: list[Member], client_of: ClientOf
) -> None:
    company = people[0].company
    close_months(now=datetime(2026, 9, 1, 1, tzinfo=UTC))
    close_months(now=datetime(2026, 9, 1, 2, tzinfo=UTC))
    late = CallRow("t", "late", people[1].pk, "+33142278186", BEGIN + timedelta(days=3), 60)
    charge_calls(company, [late], now=datetime(2026, 9, 5, tzinfo=UTC))
    span = find_span(company, {"month": "2026-08"}, now=NOW)
    report = read_report("usage", company, span)
    assert report.totals["paid"] == report.totals["booked_later"] == MINUTE
    assert report.meeting is not None
    assert report.meeting.later == ((date(2026, 9, 5), MINUTE),)
    assert report.meeting.booked == 0
    page = client_of(Member.objects.get(company=company, role="administrator")).get(
        "/reports/usage/?month=2026-08"
    )
    assert "reported after closing, booked on" in page.content.decode()
