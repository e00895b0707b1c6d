"""Statements and decisions at the same time: one line, one credit."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from pytest_django import Settings

from billing.bank_decisions import accept_line, settle_by_hand
from billing.bank_lines import advance_lines
from billing.models import BankStatementLine, BankTransfer, Purchase
from billing.purchases import advance_purchase, cancel_purchase
from credit.accounts import company_balance
from credit.models import Transfer
from members.actors import Actor
from skypemgr.lib.errors import ProductError
from skypemgr.lib.periods import utc_now
from tests.billing.transfer_kit import (
    assert_credited_once,
    bring,
    buy_by_transfer,
    make_operator,
    pay,
    row,
)
from tests.conftest import make_company

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _transfers(settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox", "transfer"]


def at_once(*works: Callable[[], object]) -> list[Exception]:
    """All were started together; what they raised."""
    errors: list[Exception] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait()
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_two_operators_import_the_same_statement_at_the_same_time() -> None:
    alice = make_company("Acme", "alice")
    bought = [buy_by_transfer(alice, str(amount)) for amount in (10, 20, 30)]
    rows = [pay(one) for one in bought] + [row(number, "SHOP") for number in range(1, 200)]
    errors = at_once(lambda: bring(*rows), lambda: bring(*reversed(rows)), lambda: bring(*rows))
    assert errors == []
    advance_lines()
    assert BankStatementLine.objects.count() == len(rows)
    assert BankStatementLine.objects.filter(state="settled").count() == 3
    assert company_balance(alice.company) == 60
    assert Transfer.objects.count() == 3


def test_an_import_a_decision_and_the_sweep_at_once_credit_once() -> None:
    purchase = buy_by_transfer(make_company("Acme", "alice"))
    operator = make_operator()
    bring(row("120", "VIR"))
    line = BankStatementLine.objects.get()
    today = utc_now().date()
    errors = at_once(
        lambda: accept_line(line.pk, purchase_id=purchase.pk, user=operator, reason="x"),
        lambda: accept_line(line.pk, purchase_id=purchase.pk, user=operator, reason="y"),
        lambda: settle_by_hand(purchase.pk, received_on=today, user=operator, reason="z"),
        lambda: bring(pay(purchase)),
        lambda: advance_purchase(purchase.pk),
    )
    assert all(isinstance(error, ProductError) for error in errors), errors
    advance_lines()
    assert_credited_once(purchase)


def test_called_off_while_the_money_arrives_it_is_paid_or_over_and_never_both() -> None:
    alice = make_company("Acme", "alice")
    for _time in range(5):
        before = company_balance(alice.company)
        purchase = buy_by_transfer(alice, "10")
        actor, pk = Actor.of_member(alice), purchase.pk
        at_once(
            lambda: bring(pay(purchase)),  # noqa: B023
            lambda: cancel_purchase(actor=actor, purchase_id=pk),  # noqa: B023
        )
        advance_lines()
        purchase = Purchase.objects.get(pk=purchase.pk)
        transfer = BankTransfer.objects.get(payment_reference=purchase.payment_reference)
        line = BankStatementLine.objects.order_by("-pk")[0]
        gained = company_balance(alice.company) - before
        if transfer.status == BankTransfer.Status.SUCCEEDED:
            assert (purchase.status, line.state, gained) == ("succeeded", "settled", 10)
        else:
            assert (purchase.status, line.state, gained) == ("expired", "waiting", 0)
