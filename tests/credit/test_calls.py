"""Charging calls: once each, in order, against what is available."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from credit.accounts import balances, company_balance
from credit.allocation import Recipients
from credit.call_batch import CallResult
from credit.call_files import import_calls
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.models import Call, Rate, Transfer
from credit.rates import import_rates
from credit.rules import RuleTerms, save_rules
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Company, Member
from tests.conftest import credit_company, give, make_member

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def _deck(db: None) -> None:
    Rate.objects.create(
        prefix="33",
        country="FR",
        kind="landline",
        price_per_minute=Decimal("0.6"),
        currency="EUR",
        valid_from="2025-01-01",
    )


def row(number: int | str, **fields: Any) -> CallRow:
    values = {
        "source": "pbx",
        "id": str(number),
        "member": "bob",
        "destination": "+33142278186",
        "started_at": "2026-03-10T10:00:00Z",
        "duration_seconds": 60,
        **fields,
    }
    return CallRow(**values)


def charge(company: Company, *rows: CallRow, now: datetime = NOON) -> list[CallResult]:
    return charge_calls(company, rows, now=now)


def balance(member: Member) -> Decimal:
    return balances(member.company_id, [member.pk])[member.pk].balance


def test_a_call_is_debited_once_however_often_it_is_reported(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "10", now=NOON)
    give(alice, bob, "5", now=NOON)
    first = charge(acme, row(1))
    again = charge(acme, row(1), row(1))
    assert [result.status for result in (*first, *again)] == [
        "charged",
        "already_there",
        "already_there",
    ]
    assert balance(bob) == Decimal("4.4")
    assert again[0].price == Decimal("0.6")


def test_the_same_id_with_another_duration_is_a_conflict(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "10", now=NOON)
    give(alice, bob, "5", now=NOON)
    results = charge(acme, row(1), row(1, duration_seconds=61))
    assert [(result.status, result.code) for result in results] == [
        ("charged", ""),
        ("refused", "call_conflict"),
    ]
    assert balance(bob) == Decimal("4.4")


def test_what_is_missing_is_uncollected_and_never_collected_later(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "10", now=NOON)
    give(alice, bob, "1", now=NOON)
    results = charge(acme, row(1), row(2), row(3))
    assert [(result.collected, result.uncollected) for result in results] == [
        (Decimal("0.6"), Decimal(0)),
        (Decimal("0.4"), Decimal("0.2")),
        (Decimal(0), Decimal("0.6")),
    ]
    give(alice, bob, "5", now=NOON)
    assert balance(bob) == 5
    assert charge(acme, row(3))[0].uncollected == Decimal("0.6")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"id": ""}, "missing_id"),
        ({"source": ""}, "missing_id"),
        ({"id": "a:b"}, "missing_id"),
        ({"id": 7}, "missing_id"),
        ({"member": "nobody"}, "unknown_member"),
        ({"member": 10**30}, "unknown_member"),
        ({"member": None}, "unknown_member"),
        ({"destination": "33142278186"}, "malformed_number"),
        ({"destination": "+33 1 42 27 81 86"}, "malformed_number"),
        ({"destination": "+3314227818600000"}, "malformed_number"),
        ({"destination": "3631"}, "malformed_number"),
        ({"started_at": "2026-13-02T10:00:00Z"}, "invalid_date"),
        ({"started_at": 5}, "invalid_date"),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "invalid_date"),
        ({"started_at": "2026-03-10T12:05:01Z"}, "in_future"),
        ({"duration_seconds": -5}, "invalid_duration"),
        ({"duration_seconds": "3e9"}, "invalid_duration"),
        ({"duration_seconds": True}, "invalid_duration"),
        ({"destination": "+999123456789"}, "no_rate"),
        ({"started_at": "2024-12-31T23:59:59Z"}, "no_rate"),
    ],
)
def test_a_bad_row_has_a_code_and_stops_nothing_else(
    alice: Member, acme: Company, bob: Member, fields: dict[str, Any], code: str
) -> None:
    credit_company(acme, "10", now=NOON)
    give(alice, bob, "5", now=NOON)
    results = charge(
        acme, row("bad", **fields) if "id" not in fields else row("", **fields), row(2)
    )
    assert (results[0].status, results[0].code) == ("refused", code)
    assert results[1].status == "charged"
    assert Call.objects.count() == 1


def test_emergency_calls_are_free_and_need_no_rate(acme: Company, bob: Member) -> None:
    result = charge(acme, row(1, destination="112"))[0]
    assert (result.status, result.price) == ("charged", 0)
    assert Transfer.objects.count() == 0


def test_another_companys_member_is_unknown(acme: Company, charlie: Member) -> None:
    by_name = charge(acme, row(1, member="charlie"))[0]
    by_id = charge(acme, row(1, member=charlie.pk))[0]
    assert (by_name.code, by_id.code) == ("unknown_member", "unknown_member")


def test_a_batch_gives_what_its_calls_one_by_one_give_with_rules_between(
    alice: Member, acme: Company
) -> None:
    figures = []
    for name, sizes in (("one", [1] * 12), ("many", [12])):
        member = make_member(acme, name)
        credit_company(acme, "7.5", now=NOON)
        give(alice, member, "1.5", now=NOON)
        save_rules(
            actor=Actor.of_member(alice),
            recipients=Recipients(member_ids=(member.pk,)),
            terms=RuleTerms(Decimal("1"), Decimal("1"), Decimal("4.5")),
            now=NOON,
        )
        rows = [
            row(f"{name}{n}", member=name, duration_seconds=60 + n * 7, source=name)
            for n in range(12)
        ]
        results = []
        while rows:
            size = sizes.pop(0)
            results += charge(acme, *rows[:size])
            rows = rows[size:]
        recharges = Transfer.objects.filter(kind="auto_recharge", destination__member=member)
        figures.append(
            (
                [(result.collected, result.uncollected) for result in results],
                [transfer.amount for transfer in recharges.order_by("pk")],
                balance(member),
            )
        )
        drain(acme)
    assert figures[0] == figures[1]
    assert figures[0][1]
    assert verify_ledger() == []


def drain(company: Company) -> None:
    """The company's balance goes to a member, so that the next round starts from nothing."""
    administrator = Member.objects.get(company=company, role="administrator")
    if left := company_balance(company):
        give(administrator, administrator, left, now=NOON)


def test_a_rule_that_a_call_makes_due_serves_the_next_call(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "20", now=NOON)
    give(alice, bob, "1", now=NOON)
    save_rules(
        actor=Actor.of_member(alice),
        recipients=Recipients(member_ids=(bob.pk,)),
        terms=RuleTerms(Decimal("5"), Decimal("1"), Decimal("40")),
        now=NOON,
    )
    results = charge(acme, row(1), row(2))
    assert [result.uncollected for result in results] == [0, 0]
    kinds = Transfer.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds)[-3:] == ["call", "auto_recharge", "call"]


def test_calls_in_progress_of_a_suspended_member_are_still_charged(
    alice: Member, acme: Company, bob: Member
) -> None:
    credit_company(acme, "20", now=NOON)
    give(alice, bob, "1", now=NOON)
    Member.objects.filter(pk=bob.pk).update(status="suspended")
    assert charge(acme, row(1))[0].collected == Decimal("0.6")


@pytest.fixture
def staff(acme: Company) -> list[Member]:
    """Every user name of the sample calls."""
    names = sorted(
        {
            line.split(",")[2]
            for line in (DATA / "calls.csv").read_text().splitlines()[1:]
            if line.split(",")[2] != "nobody.here"
        }
    )
    return [make_member(acme, name) for name in names]


def test_the_sample_files_are_charged_to_the_cent(
    alice: Member, acme: Company, staff: list[Member]
) -> None:
    Rate.objects.all().delete()
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with (DATA / "rates.csv").open("rb") as file:
        assert not import_rates(file).refused
    credit_company(acme, 70 * len(staff), now=now)
    for member in staff:
        give(alice, member, "70", now=now)
    with (DATA / "calls.csv").open("rb") as file:
        first = import_calls(file, acme, now=now + timedelta(days=1))
    assert {call: code for _line, call, code in first.refused} == EXPECTED_REFUSALS
    assert first.already_count == 1
    assert not Call.objects.filter(uncollected__gt=0).exists()
    with (DATA / "calls.csv").open("rb") as file:
        second = import_calls(file, acme, now=now + timedelta(days=1))
    assert (second.charged_count, second.already_count) == (0, first.charged_count + 1)
    assert verify_ledger() == []


EXPECTED_REFUSALS = {
    "pbx1:b1": "unknown_member",
    "pbx1:b2": "malformed_number",
    "pbx1:b3": "invalid_date",
    "pbx1:b4": "invalid_duration",
    "pbx1:b5": "invalid_duration",
    "pbx1:b6": "no_rate",
    "pbx1:": "missing_id",
    "pbx1:c0012314": "call_conflict",
}
