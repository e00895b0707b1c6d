"""Reports: each figure is what the transfers say, however it is cut."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from credit.models import Transfer
from credit.rollup import roll_up_days
from members.actors import Actor
from members.details import update_member
from members.lists import create_list
from members.models import Member, MemberPlacement
from skypemgr.lib.errors import NotFound, ProductError
from skypemgr.portal.queries.figures import read_strip
from skypemgr.portal.reports.base import Filters, Report, Rows, read_filters
from skypemgr.portal.reports.catalogue import REPORTS, read_report
from skypemgr.portal.reports.links import link_of
from skypemgr.portal.spans import Span, find_span
from tests.conftest import ClientOf, give, make_member
from tests.portal.conftest import NOW, SEPTEMBER, History


def september(history: History) -> Span:
    return find_span(history.company, {}, now=NOW)


def whole_year(history: History) -> Span:
    return find_span(history.company, {"year": "2026"}, now=NOW)


def column(report: Report, key: str) -> list[object]:
    place = [each.key for each in report.columns].index(key)
    return [row[place] for row in report.rows()]


def test_months_of_a_year_open_where_the_month_before_closed(history: History) -> None:
    report = read_report("summary", history.company, whole_year(history), Filters(by="month"))
    rows = list(report.rows())
    assert [row[0] for row in rows] == [date(2026, 8, 1), date(2026, 9, 1)]
    for _month, opening, came, went, closing in rows:
        assert opening + came - went == closing
    assert rows[0][4] == rows[1][1]
    assert report.totals == {"in": Decimal(600), "out": Decimal("80.5")}


def test_lists_are_those_of_the_day(history: History) -> None:
    actor = Actor.of_member(history.alice)
    MemberPlacement.objects.filter(member=history.bob).update(valid_from=date(2026, 8, 1))
    sales = create_list(actor=actor, name="Sales")
    update_member(actor=actor, member=history.bob, now=SEPTEMBER, list=sales)
    for is_rolled in (False, True):
        if is_rolled:
            roll_up_days(now=NOW)
        report = read_report("summary", history.company, whole_year(history), Filters(by="list"))
        found = {row[1]: row[2:] for row in report.rows()}
        assert found["Sales"] == (Decimal(10), Decimal(0), Decimal("4.40"))
        assert found[""] == (Decimal("65.5"), Decimal(5), Decimal("3.75"))
        for kind, given in (("", [Decimal(10)]), ("auto_recharge", []), ("feature", [])):
            filters = Filters(list_id=sales.pk, kind=kind)
            report = read_report("allocations", history.company, whole_year(history), filters)
            assert column(report, "amount") == given
            assert (report.count, report.totals["amount"]) == (len(given), sum(given))


def test_allocations_of_one_member_or_kind_are_a_part_of_all(history: History) -> None:
    company, span = history.company, whole_year(history)
    every = read_report("allocations", company, span)
    assert (every.count, every.totals["amount"]) == (4, Decimal("80.5"))
    of_bob = read_report("allocations", company, span, Filters(member_id=history.bob.pk))
    assert column(of_bob, "amount") == [Decimal(40), Decimal(10)]
    assert column(of_bob, "member") == [history.bob.name] * 2
    by_rule = read_report("allocations", company, span, Filters(kind="auto_recharge"))
    assert column(by_rule, "amount") == [Decimal(5)]
    assert by_rule.totals["amount"] == Decimal(5)
    assert read_report("allocations", company, span, Filters(kind="number")).count == 0


def test_a_page_of_a_report_is_a_slice_of_all_its_rows(history: History) -> None:
    for name in REPORTS:
        report = read_report(name, history.company, whole_year(history))
        rows = list(report.rows())
        assert len(rows) == report.count == len(Rows(report))
        assert Rows(report)[1:3] == rows[1:3]


def test_the_allocations_are_the_transfers_in_their_order(history: History) -> None:
    late = datetime(2026, 9, 19, 12, tzinfo=UTC)
    for number in range(7):
        give(history.alice, make_member(history.company, f"m{number}"), "1", now=late)
    report = read_report("allocations", history.company, september(history))
    moved = Transfer.objects.filter(
        company=history.company, source_kind="company", booked_on__month=9
    ).order_by("source_version")
    assert column(report, "amount") == list(moved.values_list("amount", flat=True))


@pytest.mark.parametrize("sort", ["day", "-day"])
def test_the_statement_goes_on_from_the_opening_to_the_closing_balance(
    history: History, sort: str
) -> None:
    for span in (whole_year(history), september(history)):
        strip = read_strip(history.company, span.first, span.last)
        report = read_report("statement", history.company, span, Filters(sort=sort))
        step = 1 if sort == "day" else -1
        balance = strip.opening
        for *_said, came, went, after in list(report.rows())[::step]:
            balance += came - went
            assert after == balance
        assert balance == strip.closing
        assert report.totals == {"in": strip.incoming, "out": strip.outgoing}
        rows = list(report.rows())
        assert [report.read(place, 1)[0] for place in range(report.count)] == rows


def test_the_statement_of_one_kind_is_a_part_of_it(history: History) -> None:
    span = whole_year(history)
    every = list(read_report("statement", history.company, span).rows())
    kinds = {str(row[1]) for row in every}
    assert {"purchase", "allocation", "auto_recharge"} <= kinds
    for kind in kinds:
        part = read_report("statement", history.company, span, Filters(kind=kind))
        rows = list(part.rows())
        assert rows == [row for row in every if row[1] == kind]
        assert part.count == len(rows)
        assert part.totals == {"in": sum(r[-3] for r in rows), "out": sum(r[-2] for r in rows)}
        assert Rows(part)[1:2] == rows[1:2]
    with pytest.raises(ProductError) as refused:
        read_report("statement", history.company, span, Filters(kind="call"))
    assert (refused.value.code, refused.value.field) == ("invalid_filter", "kind")


@pytest.mark.parametrize("name", list(REPORTS))
def test_a_report_costs_the_same_queries_however_many_rows(
    history: History, name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Three of the usage's open and close the wide memory in which members are sorted.
    allowed = {"summary": 1, "purchases": 4, "allocations": 4, "usage": 7, "statement": 4}[name]
    span = whole_year(history)
    for _more in range(2):
        with django_assert_num_queries(allowed):
            report = read_report(name, history.company, span)
            report.read(0, 50)
        for number in range(5):
            member = make_member(history.company, f"q{_more}{number}")
            give(history.alice, member, "1", now=NOW)


@pytest.mark.parametrize("name", list(REPORTS))
@pytest.mark.parametrize("by", ["", "list", "cost_centre", "month"])
def test_each_column_sorts_all_rows_both_ways(history: History, name: str, by: str) -> None:
    span = whole_year(history)
    if by and name not in ("summary", "usage"):
        return
    plain = read_report(name, history.company, span, Filters(by=by))
    everything = sorted(map(str, plain.rows()))
    for key in plain.sorts:
        rising = read_report(name, history.company, span, Filters(by=by, sort=key))
        falling = read_report(name, history.company, span, Filters(by=by, sort=f"-{key}"))
        assert sorted(map(str, rising.rows())) == sorted(map(str, falling.rows())) == everything
        if name == "purchases" and key in ("net", "total"):
            assert column(rising, key) == sorted(column(rising, key), key=str) != []
            assert column(falling, key) == column(rising, key)[::-1]
    with pytest.raises(ProductError) as refused:
        read_report(name, history.company, span, Filters(by=by, sort="1; DROP"))
    assert (refused.value.code, refused.value.field) == ("invalid_filter", "sort")
    with pytest.raises(ProductError) as refused:
        read_report(name, history.company, span, Filters(by=by, sort="-"))
    assert (refused.value.code, refused.value.field) == ("invalid_filter", "sort")


def test_every_figure_of_a_report_leads_to_what_it_is_made_of(
    history: History, client_of: ClientOf
) -> None:
    browser = client_of(history.alice)
    for address in (
        "summary/?year=2026",
        "summary/?year=2026&by=month",
        "summary/?by=list",
        "purchases/",
        "allocations/",
        "usage/",
        "usage/?by=day",
        "usage/?by=list&year=2026",
        "statement/?year=2026",
    ):
        page = browser.get(f"/reports/{address}").content.decode()
        links = re.findall(r'<td[^>]*><a[^>]*href="([^"]+)"', page)
        for link in links:
            assert browser.get(link.replace("&amp;", "&")).status_code in (200, 302), link
    page = browser.get("/reports/summary/?month=2026-08").content.decode()
    assert "/reports/allocations/?month=2026-08&amp;kind=allocation" in page
    assert "/reports/purchases/?month=2026-08" in page
    page = browser.get("/reports/summary/?year=2026&by=month").content.decode()
    assert "/reports/summary/?month=2026-08&amp;by=kind" in page


def test_what_is_behind_a_figure_is_cut_as_the_report_that_showed_it(history: History) -> None:
    company, bob = history.company, history.bob
    span = find_span(company, {"from": "2026-08-11", "to": "2026-09-05"}, now=NOW)

    def behind(name: str, key: str, filters: Filters, **values: object) -> str:
        return link_of(name, key, values, span, filters)

    months = [
        behind("summary", "month", Filters(by="month"), month=date(2026, month, 1))
        for month in (8, 9)
    ]
    assert "?from=2026-08-11&to=2026-08-31&by=kind" in months[0]
    assert "?from=2026-09-01&to=2026-09-05&by=kind" in months[1]
    whole = link_of(
        "summary", "month", {"month": date(2026, 8, 1)}, whole_year(history), Filters(by="month")
    )
    assert "?month=2026-08&by=kind" in whole
    paid = behind("usage", "paid", Filters(list_id=7), paid=1, member_id=bob.pk)
    assert f"list=7&member={bob.pk}" in paid
    of_list = behind("usage", "paid", Filters(by="list", member_id=bob.pk), paid=1, list_id=7)
    assert f"member={bob.pk}&list=7" in of_list


def test_a_member_is_chosen_by_name(history: History, client_of: ClientOf) -> None:
    browser = client_of(history.alice)
    chosen = browser.get("/reports/allocations/?month=2026-08&person=BOB")
    assert chosen.status_code == 302
    assert chosen["Location"] == f"/reports/allocations/?month=2026-08&member={history.bob.pk}"
    page = browser.get(chosen["Location"]).content.decode()
    assert "40.00" in page
    assert "25.50" not in page
    make_member(history.company, "bobby")
    several = browser.get("/reports/allocations/?person=bob").content.decode()
    assert "Whom do you mean?" in several
    assert "/members/" in several
    nobody = browser.get("/reports/allocations/?person=%25%27%3Cb%3E")
    assert nobody.status_code == 200
    assert "No member is called" in nobody.content.decode()


def test_the_search_finds_no_member_of_another_company(
    history: History, charlie: Member, client_of: ClientOf
) -> None:
    page = client_of(history.alice).get("/reports/usage/", {"person": charlie.name})
    assert page.status_code == 200
    assert "No member is called" in page.content.decode()


def test_the_features_of_all_kinds_are_chosen_together(history: History) -> None:
    report = read_report(
        "allocations", history.company, whole_year(history), Filters(kind="feature")
    )
    assert (report.count, report.totals["amount"]) == (0, Decimal(0))


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        ({"list": "x"}, "invalid_filter", "list"),
        ({"member": "1e3"}, "invalid_filter", "member"),
        ({"member": "٣"}, "invalid_filter", "member"),
        ({"list": "99999999999999999999"}, "invalid_filter", "list"),
        ({"list": "999999"}, "not_found", "list"),
        ({"member": "999999"}, "not_found", "member"),
        ({"list": "0"}, "not_found", "list"),
        ({"member": "0"}, "not_found", "member"),
    ],
)
def test_what_is_no_filter_is_refused(
    history: History, wanted: dict[str, str], code: str, field: str
) -> None:
    with pytest.raises(ProductError) as refused:
        read_filters(history.company, wanted)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_member_of_another_company_is_no_filter(history: History, charlie: Member) -> None:
    with pytest.raises(NotFound):
        read_filters(history.company, {"member": str(charlie.pk)})


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("summary", Filters(by="'; DROP TABLE x")),
        ("allocations", Filters(kind="100%s")),
    ],
)
def test_a_cut_that_does_not_exist_is_refused(
    history: History, name: str, filters: Filters
) -> None:
    with pytest.raises(ProductError) as refused:
        read_report(name, history.company, september(history), filters)
    assert refused.value.code == "invalid_filter"
