"""Upcoming renewals: by day, in sums, and what is lost when; on the page and by API."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.features.changing import change_feature
from billing.features.upcoming import Ahead
from billing.models import NumberArea, Plan, Subscription
from billing.renewals import end_overdue, renew_due
from credit.accounts import company_balance
from members.models import Member
from tests.api.conftest import Api, api
from tests.billing.features.conftest import NOON, at, give_number, give_plan, make_plan
from tests.billing.test_leaving_races import of
from tests.conftest import ClientOf, credit_company, give, make_member

__all__ = ["api"]
pytestmark = pytest.mark.django_db
FEBRUARY = datetime(2026, 2, 10, 12, tzinfo=UTC)


def charged(member: Member, months: int, *, today: date) -> list[tuple[date, Decimal | None]]:
    """Every renewal of so many months from today's on, as foretold."""
    ahead = Ahead(member.company, today)
    told: list[tuple[date, Decimal | None]] = []
    for number in range(months):
        index = today.year * 12 + today.month - 1 + number
        days = ahead.days_of(date(index // 12, index % 12 + 1, 1))
        rows = ahead.rows(days, offset=0, limit=100)
        told += [(row.charge_on, row.terms.price if row.terms else None) for row in rows]
    return told


@pytest.mark.parametrize("day", ["2026-01-31", "2026-03-01", "2026-03-03", "2028-02-29"])
@pytest.mark.parametrize("months", [1, 3, 12])
def test_what_is_foretold_is_what_is_charged(
    rich: Member, bob: Member, voicemail: Plan, day: str, months: int
) -> None:
    give_plan(rich, voicemail, bob, months=months, now=at(day))
    start = date.fromisoformat(day)
    foretold = charged(rich, 14, today=start)
    really = []
    for number in range(14 * 31):
        now = at(day).fromtimestamp(at(day).timestamp() + number * 86_400, UTC)
        if renew_due(now=now).paid_count:
            really.append(now.date())
    assert [on for on, _price in foretold] == really[: len(foretold)]
    assert len(really) - len(foretold) in (0, 1)
    assert foretold


def test_a_plan_that_is_withdrawn_meanwhile_ends_once_in_the_foretold(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    Plan.objects.update(valid_until=date(2026, 3, 31))
    assert charged(rich, 6, today=date(2026, 2, 1)) == [
        (date(2026, 2, 25), Decimal(2)),
        (date(2026, 3, 28), None),
    ]


def test_a_change_is_foretold_with_its_period_and_price(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    feature = give_plan(rich, voicemail, bob).subscription_ids[0]
    change_feature(actor=of(rich), subscription_id=feature, plan=voicemail, months=3, now=NOON)
    assert charged(rich, 5, today=date(2026, 2, 1)) == [
        (date(2026, 2, 25), Decimal(6)),
        (date(2026, 5, 28), Decimal(6)),
    ]


@time_machine.travel(FEBRUARY, tick=False)
def test_the_page_shows_days_sums_and_the_warning(
    rich: Member,
    bob: Member,
    fiona: Member,
    voicemail: Plan,
    minutes: Plan,
    client_of: ClientOf,
) -> None:
    give_plan(rich, voicemail, bob, fiona)
    give_plan(rich, minutes, bob, now=at("2026-02-05"))
    page = client_of(rich).get("/features/renewals/").content.decode()
    assert "2 renewals, €4.00" in page
    assert "Buy credit" in page
    assert "are missing" not in page
    give(rich, rich, str(company_balance(rich.company) - 5), now=NOON)
    page = client_of(rich).get("/features/renewals/?month=2026-03").content.decode()
    # 4 in February, 9 in March, 5 there.
    assert "€8.00 are missing" in page
    assert "cost €13.00" in page


@time_machine.travel(datetime(2026, 3, 2, 12, tzinfo=UTC), tick=False)
def test_what_is_not_paid_stands_with_the_day_on_which_it_is_lost(
    rich: Member,
    bob: Member,
    voicemail: Plan,
    french_number: Plan,
    paris: NumberArea,
    client_of: ClientOf,
    api: Api,
) -> None:
    give_plan(rich, voicemail, bob)
    give_number(rich, french_number, paris, bob)
    give(rich, rich, str(company_balance(rich.company)), now=NOON)
    renew_due()
    end_overdue()
    page = client_of(rich).get("/features/renewals/?show=unpaid").content.decode()
    assert page.index("7 March 2026") < page.index("30 March 2026")
    answer = api(rich).get("renewals/unpaid").json()
    assert [(row["lost_on"], row["price"], row["status"]) for row in answer["results"]] == [
        ("2026-03-07", "2.0000", "grace"),
        ("2026-03-30", "4.0000", "grace"),
    ]
    assert (answer["count"], answer["total"], answer["next"]) == (2, "6.0000", None)


@time_machine.travel(FEBRUARY, tick=False)
def test_the_api_tells_rows_and_sums_page_by_page(rich: Member, voicemail: Plan, api: Api) -> None:
    people = [make_member(rich.company, f"person{number}") for number in range(5)]
    give_plan(rich, voicemail, *people[:3])
    give_plan(rich, voicemail, *people[3:], now=at("2026-02-05"))
    door = api(rich)
    first = door.get("renewals", month="2026-03", limit="2").json()
    assert {name: first[name] for name in ("month", "count", "total", "needed", "missing")} == {
        "month": "2026-03",
        "count": 5,
        "total": "10.0000",
        "needed": "16.0000",
        "missing": "0.0000",
    }
    rows = list(first["results"])
    answer = first
    while answer["next"]:
        answer = door.client.get(answer["next"]).json()
        rows += answer["results"]
    assert [row["charge_on"] for row in rows] == ["2026-03-02"] * 2 + ["2026-03-28"] * 3
    assert len({row["subscription"] for row in rows}) == 5
    assert door.client.get(answer["previous"]).json()["results"] == rows[2:4]


@time_machine.travel(FEBRUARY, tick=False)
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"month": "2026-01"}, 422, "month_not_ahead"),
        ({"month": "2027-03"}, 422, "month_not_ahead"),
        ({"month": "2026-13"}, 422, "invalid_month"),
        ({"month": "soon"}, 422, "invalid_month"),
        ({"cursor": "bzk5OTk5OTk5OTk5"}, 400, "invalid_cursor"),
        ({"cursor": "é"}, 400, "invalid_cursor"),
        ({"limit": "0"}, 400, "invalid"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_name(
    rich: Member, api: Api, client_of: ClientOf, query: dict[str, str], status: int, code: str
) -> None:
    answer = api(rich).get("renewals", **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if "month" in query:
        assert client_of(rich).get("/features/renewals/", query).status_code == status


@time_machine.travel(FEBRUARY, tick=False)
def test_finance_reads_members_do_not_and_no_company_sees_anothers(
    rich: Member,
    bob: Member,
    fiona: Member,
    charlie: Member,
    voicemail: Plan,
    client_of: ClientOf,
    api: Api,
) -> None:
    give_plan(rich, voicemail, bob)
    page = client_of(fiona).get("/features/renewals/")
    assert page.status_code == 200
    assert "1 renewal, €2.00" in page.content.decode()
    assert "/cancel/" not in page.content.decode()
    assert client_of(bob).get("/features/renewals/").status_code in (302, 403)
    assert api(bob).get("renewals").status_code == 403
    assert api(charlie).get("renewals").json()["results"] == []
    assert "Voicemail" not in client_of(charlie).get("/features/renewals/").content.decode()


def read(member: Member, months: int) -> int:
    """How many statements a page of renewals takes."""
    with CaptureQueriesContext(connection) as queries:
        ahead = Ahead(member.company, date(2026, 2, 10))
        ahead.rows(ahead.days_of(date(2026, months, 1)), offset=2, limit=50)
        assert ahead.unpaid.count == 0
        ahead.needed_until(date(2026, 12, 1))
    return len(queries)


def test_many_renewals_take_as_many_statements_as_few(rich: Member, voicemail: Plan) -> None:
    people = [make_member(rich.company, f"person{number}") for number in range(20)]
    give_plan(rich, voicemail, *people[:3])
    few = read(rich, 2)
    other = make_plan("voicemail-2", "voicemail", {1: "3"})
    give_plan(rich, other, *people[3:], now=at("2026-02-05"))
    assert read(rich, 3) == few == 5
    assert Subscription.objects.count() == 20
    credit_company(rich.company, "1", now=NOON)
