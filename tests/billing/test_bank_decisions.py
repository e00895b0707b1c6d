"""What operators decide about transfers: once, with a word, and only they."""

from datetime import date, timedelta

import pytest
from pytest_django import Settings

from billing.bank_decisions import accept_line, send_back, set_aside, settle_by_hand
from billing.errors import (
    LineDecided,
    ReasonMissing,
    TransferDiffers,
    TransferEnded,
    UnknownTransfer,
)
from billing.models import BankStatementLine, BankTransfer, PaymentIncident, Purchase
from members.models import AuditEntry, Member, User
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.periods import utc_now
from tests.billing.conftest import buy
from tests.billing.transfer_kit import (
    assert_credited_once,
    assert_not_credited,
    bring,
    buy_by_transfer,
    make_operator,
    only_line,
    pay,
    row,
)

pytestmark = pytest.mark.django_db
State = BankStatementLine.State
TODAY = utc_now().date()
WHY = "the bank kept a fee"


@pytest.fixture(autouse=True)
def _transfers(settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox", "transfer"]


@pytest.fixture
def operator(db: None) -> User:
    return make_operator()


@pytest.fixture
def purchase(alice: Member) -> Purchase:
    return buy_by_transfer(alice)


@pytest.mark.parametrize("amount", ["108", "119,99", "150"])
def test_nearly_enough_or_more_is_taken_as_full(
    purchase: Purchase, operator: User, amount: str
) -> None:
    bring(pay(purchase, amount))
    line = accept_line(only_line().pk, purchase_id=purchase.pk, user=operator, reason=WHY)
    assert (line.state, line.decided_by, line.decision) == (State.SETTLED, operator, WHY)
    assert_credited_once(purchase)
    transfer = BankTransfer.objects.get()
    assert (transfer.amount, transfer.received_amount) == (120, line.amount)
    entry = AuditEntry.objects.get(verb="settle_transfer")
    assert (entry.user, entry.company, entry.data["reason"]) == (operator, purchase.company, WHY)
    assert PaymentIncident.objects.get().resolution == WHY


@pytest.mark.parametrize("amount", ["107,99", "1"])
def test_too_little_is_never_taken_as_full(purchase: Purchase, operator: User, amount: str) -> None:
    bring(pay(purchase, amount))
    with pytest.raises(TransferDiffers):
        accept_line(only_line().pk, purchase_id=purchase.pk, user=operator, reason=WHY)
    assert_not_credited(purchase)
    assert only_line().state == State.WAITING
    assert not AuditEntry.objects.filter(verb="settle_transfer").exists()


def test_another_currency_is_never_taken_as_full(purchase: Purchase, operator: User) -> None:
    bring(pay(purchase, currency="USD"))
    with pytest.raises(TransferDiffers):
        accept_line(only_line().pk, purchase_id=purchase.pk, user=operator, reason=WHY)
    assert_not_credited(purchase)


def test_a_line_without_a_reference_is_given_to_a_purchase(
    purchase: Purchase, operator: User
) -> None:
    bring(row("120", "VIR"))
    accept_line(only_line().pk, purchase_id=purchase.pk, user=operator, reason="they called")
    assert_credited_once(purchase)
    assert PaymentIncident.objects.get().resolved_by == operator


def test_a_decision_is_taken_once(purchase: Purchase, operator: User) -> None:
    bring(row("120", "VIR"), row("120", "OTHER"))
    first, second = BankStatementLine.objects.order_by("pk")
    accept_line(first.pk, purchase_id=purchase.pk, user=operator, reason=WHY)
    for again in (accept_line,):
        with pytest.raises(LineDecided):
            again(first.pk, purchase_id=purchase.pk, user=operator, reason=WHY)
    with pytest.raises(LineDecided):
        send_back(first.pk, user=operator, reason=WHY)
    with pytest.raises(TransferEnded):
        accept_line(second.pk, purchase_id=purchase.pk, user=operator, reason=WHY)
    with pytest.raises(TransferEnded):
        settle_by_hand(purchase.pk, received_on=TODAY, user=operator, reason=WHY)
    assert set_aside([first.pk], user=operator, reason=WHY) == 0
    assert_credited_once(purchase)
    assert AuditEntry.objects.filter(verb="settle_transfer").count() == 1


def test_settled_by_hand_and_proved_by_the_statement_later(
    purchase: Purchase, operator: User
) -> None:
    settle_by_hand(purchase.pk, received_on=TODAY, user=operator, reason="seen at the bank")
    assert_credited_once(purchase)
    assert BankTransfer.objects.get().is_by_hand
    result = bring(pay(purchase))
    assert (result.settled_count, result.waiting_count) == (1, 0)
    assert_credited_once(purchase)
    assert BankTransfer.objects.get().line == only_line()
    bring(row("120", f"AGAIN {purchase.payment_reference}"))
    assert BankStatementLine.objects.filter(state=State.WAITING).count() == 1
    assert_credited_once(purchase)


@pytest.mark.parametrize("days", [-10, 5])
def test_a_day_before_the_purchase_or_to_come_is_refused(
    purchase: Purchase, operator: User, days: int
) -> None:
    day: date = TODAY + timedelta(days=days)
    with pytest.raises(TransferDiffers) as refused:
        settle_by_hand(purchase.pk, received_on=day, user=operator, reason=WHY)
    assert refused.value.field == "received_on"
    assert_not_credited(purchase)


def test_what_is_sent_back_credits_nothing_and_can_be_thought_over(
    purchase: Purchase, operator: User
) -> None:
    bring(pay(purchase, "119"))
    assert send_back(only_line().pk, user=operator, reason=WHY).state == State.RETURNED
    assert_not_credited(purchase)
    assert AuditEntry.objects.filter(verb="send_transfer_back").count() == 1
    assert set_aside([only_line().pk], user=operator, reason=WHY) == 1
    accept_line(only_line().pk, purchase_id=purchase.pk, user=operator, reason=WHY)
    assert_credited_once(purchase)


def test_lines_are_set_aside_together_and_close_the_statements_incident(operator: User) -> None:
    bring(row("1", "SHOP"), row("2", "SHOP"))
    one, two = BankStatementLine.objects.order_by("pk").values_list("pk", flat=True)
    assert set_aside([one], user=operator, reason="our shop") == 1
    assert PaymentIncident.objects.get().resolved_at is None
    assert set_aside([one, two], user=operator, reason="our shop") == 1
    assert PaymentIncident.objects.get().resolution == "our shop"


def test_a_word_is_needed(purchase: Purchase, operator: User) -> None:
    bring(row("120", "VIR"))
    pk = only_line().pk
    with pytest.raises(ReasonMissing):
        accept_line(pk, purchase_id=purchase.pk, user=operator, reason=" ")
    with pytest.raises(ReasonMissing):
        settle_by_hand(purchase.pk, received_on=TODAY, user=operator, reason="")
    with pytest.raises(ReasonMissing):
        send_back(pk, user=operator, reason="")
    with pytest.raises(ReasonMissing):
        set_aside([pk], user=operator, reason="")
    assert_not_credited(purchase)


def test_purchases_and_lines_that_do_not_fit_are_refused(
    alice: Member, purchase: Purchase, operator: User
) -> None:
    by_card = buy(alice, amount="10")
    bring(row("120", "VIR"))
    for wrong in (by_card.pk, 0, 10**15):
        with pytest.raises(UnknownTransfer):
            accept_line(only_line().pk, purchase_id=wrong, user=operator, reason=WHY)
        with pytest.raises(UnknownTransfer):
            settle_by_hand(wrong, received_on=TODAY, user=operator, reason=WHY)
    with pytest.raises(NotFound):
        accept_line(0, purchase_id=purchase.pk, user=operator, reason=WHY)
    with pytest.raises(NotFound):
        send_back(0, user=operator, reason=WHY)


def test_nobody_but_an_operator_decides(
    alice: Member, bob: Member, charlie: Member, purchase: Purchase, operator: User
) -> None:
    bring(row("120", "VIR"))
    pk = only_line().pk
    staff = make_operator("staff")
    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    gone = make_operator("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for user in (alice.user, bob.user, charlie.user, staff, gone):
        user.refresh_from_db()
        with pytest.raises(NotAllowed):
            accept_line(pk, purchase_id=purchase.pk, user=user, reason=WHY)
        with pytest.raises(NotAllowed):
            settle_by_hand(purchase.pk, received_on=TODAY, user=user, reason=WHY)
        with pytest.raises(NotAllowed):
            send_back(pk, user=user, reason=WHY)
        with pytest.raises(NotAllowed):
            set_aside([pk], user=user, reason=WHY)
    assert_not_credited(purchase)
