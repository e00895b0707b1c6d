"""Bank statements: each payment in is stored once, and only what is exact is credited."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from billing.bank_lines import advance_line, advance_lines
from billing.bank_statements import import_statement
from billing.models import BankStatement, BankStatementLine, BankTransfer, PaymentIncident, Purchase
from billing.purchases import advance_purchase
from billing.references import make_reference
from members.models import Member
from skypemgr.lib.periods import utc_now
from skypemgr.lib.tables import UnreadableTable
from tests.billing.transfer_kit import (
    assert_credited_once,
    assert_not_credited,
    bring,
    buy_by_transfer,
    only_line,
    pay,
    row,
    statement,
)

pytestmark = pytest.mark.django_db
State = BankStatementLine.State
Reason = BankStatementLine.Reason
TODAY = utc_now().date()


@pytest.fixture(autouse=True)
def _transfers(settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox", "transfer"]


@pytest.fixture
def purchase(alice: Member) -> Purchase:
    return buy_by_transfer(alice)


def test_the_exact_amount_with_the_reference_is_credited(purchase: Purchase) -> None:
    result = bring(pay(purchase))
    assert (result.stored_count, result.settled_count, result.waiting_count) == (1, 1, 0)
    assert_credited_once(purchase)
    line = only_line()
    assert (line.state, line.purchase_id) == (State.SETTLED, purchase.pk)
    transfer = BankTransfer.objects.get()
    assert (transfer.received_on, transfer.received_amount) == (TODAY, 120)
    assert not transfer.is_by_hand


def test_the_same_statement_twice_credits_once(purchase: Purchase) -> None:
    bring(pay(purchase))
    again = bring(pay(purchase))
    assert (again.stored_count, again.already_count) == (0, 1)
    assert_credited_once(purchase)
    assert BankStatementLine.objects.count() == 1
    assert not PaymentIncident.objects.exists()


def test_overlapping_statements_store_each_payment_once(purchase: Purchase) -> None:
    rent, shop = row("900", "RENT"), row("12,30", "SHOP")
    bring(rent, shop, pay(purchase))
    result = bring(shop, pay(purchase), row("7", "BAKERY"))
    assert (result.stored_count, result.already_count) == (1, 2)
    assert BankStatementLine.objects.count() == 4
    assert_credited_once(purchase)


def test_two_equal_payments_in_one_file_are_two(purchase: Purchase) -> None:
    result = bring(pay(purchase), pay(purchase))
    assert (result.settled_count, result.waiting_count) == (1, 1)
    assert_credited_once(purchase)
    waiting = BankStatementLine.objects.get(state=State.WAITING)
    assert waiting.reason == Reason.ALREADY_PAID
    assert bring(pay(purchase), pay(purchase)).stored_count == 0


@pytest.mark.parametrize("amount", ["119,99", "120.01", "60"])
def test_another_amount_waits_for_the_operator(purchase: Purchase, amount: str) -> None:
    result = bring(pay(purchase, amount))
    assert result.waiting_count == 1
    assert_not_credited(purchase)
    assert only_line().reason == Reason.AMOUNT_DIFFERS
    assert only_line().suggested == purchase
    incident = PaymentIncident.objects.get()
    assert (incident.kind, incident.purchase) == ("transfer_differs", purchase)


def test_another_currency_waits_for_the_operator(purchase: Purchase) -> None:
    bring(pay(purchase, currency="USD"))
    assert_not_credited(purchase)
    assert only_line().reason == Reason.CURRENCY_DIFFERS
    assert PaymentIncident.objects.get().kind == "transfer_differs"


def test_a_second_payment_in_another_statement_waits(purchase: Purchase) -> None:
    bring(pay(purchase))
    bring(row("120", f"AGAIN {purchase.payment_reference}"))
    assert_credited_once(purchase)
    assert BankStatementLine.objects.get(state=State.WAITING).reason == Reason.ALREADY_PAID
    assert PaymentIncident.objects.get().kind == "transfer_unmatched"


def test_money_for_an_expired_purchase_waits(purchase: Purchase) -> None:
    with time_machine.travel(utc_now() + timedelta(days=40), tick=False):
        advance_purchase(purchase.pk)
        bring(pay(purchase))
    purchase.refresh_from_db()
    assert purchase.status == Purchase.Status.EXPIRED
    assert (only_line().state, only_line().reason) == (State.WAITING, Reason.ENDED)
    assert PaymentIncident.objects.filter(kind="transfer_unmatched").count() == 1


def test_a_reference_of_nobody_waits(purchase: Purchase) -> None:
    bring(row("120", make_reference(99_999_999)))
    assert_not_credited(purchase)
    assert only_line().reason == Reason.UNKNOWN_REFERENCE


def test_one_wrong_digit_is_suggested_and_not_credited(purchase: Purchase) -> None:
    reference = purchase.payment_reference
    wrong = reference[:-1] + ("1" if reference[-1] != "1" else "2")
    bring(row("77", f"VIR {wrong}"))
    assert_not_credited(purchase)
    line = only_line()
    assert (line.state, line.reason) == (State.WAITING, Reason.UNKNOWN_REFERENCE)
    assert line.suggested == purchase


def test_the_right_amount_without_a_reference_is_suggested_only(purchase: Purchase) -> None:
    bring(row("120", "VIR SEPA"))
    assert_not_credited(purchase)
    assert (only_line().reason, only_line().suggested) == (Reason.NO_REFERENCE, purchase)


def test_the_named_company_is_suggested_among_equal_amounts(
    purchase: Purchase, charlie: Member
) -> None:
    buy_by_transfer(charlie)
    bring(row("120", "VIREMENT"), row("120", "VIREMENT ACME SARL"))
    by_label = {line.label: line.suggested for line in BankStatementLine.objects.all()}
    assert by_label == {"VIREMENT": None, "VIREMENT ACME SARL": purchase}


def test_references_of_two_purchases_wait(alice: Member, purchase: Purchase) -> None:
    other = buy_by_transfer(alice, "50")
    bring(row("180", f"{purchase.payment_reference} + {other.payment_reference}"))
    assert only_line().reason == Reason.SEVERAL
    assert_not_credited(purchase)


def test_unmatched_lines_are_one_incident_a_statement(db: None) -> None:
    bring(*(row(amount, "SHOP") for amount in range(1, 30)))
    incident = PaymentIncident.objects.get()
    assert incident.kind == "transfer_unmatched"
    assert incident.data["lines"] == 29


def test_money_that_goes_out_is_not_kept(purchase: Purchase) -> None:
    result = bring(
        pay(purchase, "-120"),
        pay(purchase, "\u2212120,00"),
        pay(purchase, "(120.00)"),
        pay(purchase, "120,00-"),
        pay(purchase, "0,00"),
    )
    assert (result.ignored_count, result.stored_count) == (5, 0)
    assert not BankStatementLine.objects.exists()
    assert_not_credited(purchase)


def test_a_crash_between_matching_and_crediting_is_mended_by_the_sweep(
    purchase: Purchase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_args: object, **_options: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("billing.bank_lines.apply_result", die)
        result = bring(pay(purchase))
    assert (result.settled_count, result.unfinished_count) == (0, 1)
    assert only_line().state == State.MATCHED
    assert_not_credited(purchase)
    advance_lines()
    assert_credited_once(purchase)
    assert only_line().state == State.SETTLED
    advance_line(only_line().pk)
    assert_credited_once(purchase)


def test_a_crash_after_matching_is_mended_by_the_sweep_of_purchases_too(
    purchase: Purchase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_args: object, **_options: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("billing.bank_lines.apply_result", die)
        bring(pay(purchase))
    advance_purchase(purchase.pk)
    assert_credited_once(purchase)
    advance_lines()
    assert only_line().state == State.SETTLED
    assert not PaymentIncident.objects.exists()


def test_the_rest_is_left_to_the_sweep(alice: Member) -> None:
    bought = [buy_by_transfer(alice, str(amount)) for amount in (10, 20, 30)]
    result = import_statement(statement([pay(one) for one in bought]), advance_at_most=1)
    assert (result.settled_count, result.unfinished_count) == (1, 2)
    assert advance_lines() == 2
    assert {Purchase.objects.get(pk=one.pk).status for one in bought} == {"succeeded"}


def test_ten_thousand_lines_cost_a_fixed_number_of_statements_for_each_thousand(
    purchase: Purchase,
) -> None:
    rows = [row(number, f"SHOP {number}") for number in range(1, 10_000)]
    with CaptureQueriesContext(
        connection,
    ) as few:
        bring(*rows[:1000])
    with CaptureQueriesContext(connection) as many:
        result = bring(*rows, pay(purchase))
    assert (result.stored_count, result.already_count, result.settled_count) == (9000, 1000, 1)
    chunks = 10
    assert len(few) < 40
    assert len(many) < len(few) + 12 * chunks + 60
    assert_credited_once(purchase)


def test_the_database_stores_a_line_once_and_settles_only_purchases(purchase: Purchase) -> None:
    bring(row("5", "SHOP"))
    line = only_line()
    for change, name in (
        ({"state": State.SETTLED}, "bank_statement_line_settles_a_purchase"),
        ({"amount": 0}, "bank_statement_line_amount_positive"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            BankStatementLine.objects.filter(pk=line.pk).update(**change)
    line.pk = None
    with pytest.raises(IntegrityError, match="stored_once"), transaction.atomic():
        line.save()
    with pytest.raises(IntegrityError, match="received_on_a_day"), transaction.atomic():
        BankTransfer.objects.update(status="succeeded")


def zipped() -> bytes:
    """An archive that is called CSV."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("bank.csv", "date;amount;label\n2025-01-01;3;x\n")
    return file.getvalue()


BROKEN: list[tuple[Callable[[], bytes], str, str]] = [
    (lambda: b"", "missing_columns|no_rows", ""),
    (lambda: b"date;amount;label\n", "no_rows", "no rows"),
    (lambda: b"MZ\x90\0\x03\0\0\0", "unreadable_file", "not a CSV"),
    (zipped, "unreadable_file", "workbook"),
    (lambda: b"name;phone\nAda;1\n", "missing_columns", "date, amount"),
    (lambda: b"date;label\n2025-01-01;x\n", "missing_columns", "amount"),
    (lambda: b"date;amount\n2025-01-01;3\n", "missing_columns", "label"),
    (lambda: b"%PDF-1.7 binary", "missing_columns|no_rows", ""),
]


@pytest.mark.parametrize(("make", "code", "words"), BROKEN)
def test_what_is_no_statement_is_refused_whole(
    db: None, make: Callable[[], bytes], code: str, words: str
) -> None:
    with pytest.raises(UnreadableTable) as refused:
        import_statement(io.BytesIO(make()))
    assert refused.value.code in code.split("|")
    assert words in str(refused.value)
    assert not BankStatement.objects.exists()


def test_more_rows_than_may_be_are_refused(settings: Settings) -> None:
    settings.MAX_IMPORT_ROWS = 3
    with pytest.raises(UnreadableTable) as refused:
        bring(*(row(number, "x") for number in range(1, 6)))
    assert refused.value.code == "too_many_rows"


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("2026-02-30;5;x;EUR", "date"),
        ("yesterday;5;x;EUR", "date"),
        ("1999-01-01;5;x;EUR", "date"),
        ("2999-01-01;5;x;EUR", "date"),
        (f"{TODAY};1,234;x;EUR", "amount"),
        (f"{TODAY};12.345;x;EUR", "amount"),
        (f"{TODAY};1 23,45;x;EUR", "amount"),
        (f"{TODAY};five;x;EUR", "amount"),
        (f"{TODAY};9999999999999999;x;EUR", "amount"),
        (f"{TODAY};5.5;x;JPY", "amount"),
        (f"{TODAY};5;x;euro!", "currency"),
        (f"{TODAY}", ""),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_line_and_column(
    purchase: Purchase, written: str, column: str
) -> None:
    result = bring(written, pay(purchase))
    assert result.settled_count == 1
    found = [(refused.line, refused.column) for refused in result.refused]
    assert found == ([(2, column)] if column else [])
    assert all(refused.message for refused in result.refused)


def test_when_no_row_can_be_read_nothing_is_stored(db: None) -> None:
    result = bring("never;5;x;EUR")
    assert result.statement is None
    assert len(result.refused) == 1
    assert not BankStatement.objects.exists()


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("Date;Libellé;Montant (EUR)", "22/11/2025;{};1 234,56"),
        (
            "Date opération;Date valeur;Libellé;Débit;Crédit;Solde",
            "22/11/25;23/11/25;{};;1 234,56;9",
        ),
        ('"Date","Description","Amount","Balance"', '"22 Nov 2025","{}","1,234.56","9,999.00"'),
        ("Booking date\tReference\tCredit amount\tCurrency", "2025-11-22\t{}\t+1234.56\tEUR"),
        ("date,montant,devise,communication", "2025-11-22T10:00:00,1234.56 €,EUR,{}"),
        ("Jour;Somme;Motif", "22 novembre 2025;1.234,56 EUR;{}"),
        ("Date;Amount;Direction;Narrative", "Nov 22, 2025;1 234,56;CRDT;{}"),
        ("date;amount;label", "2025-11-22;1234.5600;{}"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_the_forms_of_banks_are_read(db: None, header: str, line: str, encoding: str) -> None:
    text = f"{header}\r\n{line.format('VIR Société')}\r\n".replace("€", "EUR")
    result = import_statement(io.BytesIO(text.encode(encoding)))
    assert result.refused == []
    stored = only_line()
    assert (stored.received_on.isoformat(), stored.amount) == ("2025-11-22", Decimal("1234.56"))
    assert "VIR Société" in stored.label
    assert stored.currency == "EUR"


def test_lines_above_the_columns_are_passed_over(db: None) -> None:
    text = "Compte;FR76 3000\nSolde;1 000,00\n\nDate;Libellé;Montant\n22/11/2025;VIR;5\n"
    assert import_statement(io.BytesIO(text.encode())).stored_count == 1
    assert only_line().line == 5


def test_debits_by_a_word_are_money_out(db: None) -> None:
    text = "date;amount;sens;label\n2025-11-22;5;D;x\n2025-11-22;5;C;y\n2025-11-22;5;?;z\n"
    result = import_statement(io.BytesIO(text.encode()))
    assert (result.stored_count, result.ignored_count) == (1, 1)
    assert [(one.line, one.column) for one in result.refused] == [(4, "sens")]


def test_one_day_past_the_twelfth_shows_that_months_come_first(db: None) -> None:
    text = "date;amount;label\n11/05/2025;5;x\n11/22/2025;6;y\n"
    import_statement(io.BytesIO(text.encode()))
    days = {line.received_on.isoformat() for line in BankStatementLine.objects.all()}
    assert days == {"2025-11-05", "2025-11-22"}
