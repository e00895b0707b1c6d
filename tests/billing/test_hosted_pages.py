"""Buying on the gateway's own page: out through our pages, back to them, credited on its word."""

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from billing.models import AutoPurchaseRule, PaymentMethod, Purchase
from credit.accounts import company_balance
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Company, Member
from members.tokens import issue_token
from tests.billing.conftest import sweep
from tests.conftest import ClientOf
from tests.fakes.payment_client import PaymentServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_server")]


@pytest.fixture(autouse=True)
def _address(alice: Member) -> None:
    """What an invoice needs is known."""
    Company.objects.filter(pk=alice.company_id).update(
        address_line_1="1 rue de la Paix", postcode="75002", city="Paris", siren="552100554"
    )


def go_to_check(client: Client, method: str, **more: str) -> str:
    """Through method and amount; the address of the check page."""
    page = client.post("/buy/", {"method": method})
    assert page.status_code == 302, page.content
    page = client.post(page["Location"], {"choice": "50", **more})
    assert page.status_code == 302, page.content
    return page["Location"]


def press_pay(client: Client, check: str) -> Any:
    draft = parse_qs(urlsplit(check).query)["draft"][0]
    return client.post("/buy/check/", {"draft": draft})


@pytest.mark.parametrize("way", ["card", "paypal"])
def test_a_first_payment_is_made_elsewhere_credited_and_its_method_kept(
    alice: Member, client_of: ClientOf, payment_server: PaymentServer, way: str
) -> None:
    client = client_of(alice)
    answer = press_pay(client, go_to_check(client, f"stripe:{way}"))
    assert answer["Location"].startswith(payment_server.base)
    purchase = Purchase.objects.get()
    assert (purchase.status, purchase.way, purchase.method) == ("requires_action", way, None)
    assert company_balance(alice.company) == 0

    back = payment_server.pay(answer["Location"])
    page = client.get(urlsplit(back).path, follow=True)
    assert b"Your payment was received" in page.content
    purchase.refresh_from_db()
    method = PaymentMethod.objects.get()
    assert (purchase.status, purchase.method, method.kind) == ("succeeded", method, way)
    assert purchase.invoice_facts is not None
    assert company_balance(alice.company) == 50
    assert verify_ledger() == []

    # Coming back again, as by the browser's arrow, changes nothing.
    client.get(urlsplit(back).path)
    assert company_balance(alice.company) == 50
    assert method.label.encode() in client.get("/buy/").content


def test_the_tick_sets_auto_recharge_up_with_what_was_paid_with(
    alice: Member, client_of: ClientOf, payment_server: PaymentServer
) -> None:
    client = client_of(alice)
    ticked = {"auto_recharge": "on", "level": "20", "monthly_limit": "200"}
    answer = press_pay(client, go_to_check(client, "stripe:card", **ticked))
    assert not AutoPurchaseRule.objects.exists()
    back = payment_server.pay(answer["Location"])
    client.get(urlsplit(back).path)
    rule = AutoPurchaseRule.objects.get()
    assert (rule.state, rule.level, rule.method) == ("on", 20, PaymentMethod.objects.get())


def test_a_direct_debit_offers_no_auto_recharge_and_is_credited_when_it_was_collected(
    alice: Member, client_of: ClientOf, payment_server: PaymentServer
) -> None:
    client = client_of(alice)
    amount = client.post("/buy/", {"method": "stripe:sepa_debit"})["Location"]
    assert b"auto_recharge" not in client.get(amount).content
    answer = press_pay(client, go_to_check(client, "stripe:sepa_debit"))
    back = payment_server.pay(answer["Location"])
    page = client.get(urlsplit(back).path, follow=True)
    assert b"Your payment is being processed" in page.content
    assert company_balance(alice.company) == 0


def test_who_turns_back_may_go_on_or_call_the_purchase_off(
    alice: Member, client_of: ClientOf, payment_server: PaymentServer
) -> None:
    client = client_of(alice)
    answer = press_pay(client, go_to_check(client, "stripe:card"))
    purchase = Purchase.objects.get()
    page = client.get(f"/purchases/{purchase.pk}/return/", follow=True)
    assert b"Finish your payment" in page.content
    assert answer["Location"] in page.content.decode()
    page = client.post(f"/purchases/{purchase.pk}/cancel/", follow=True)
    purchase.refresh_from_db()
    assert purchase.status == "expired"
    payment_server.press(answer["Location"], number="4242424242424242")
    assert not [one for one in payment_server.objects("charge") if one["status"] == "succeeded"]


def test_what_was_paid_before_it_was_called_off_is_credited(
    alice: Member, client_of: ClientOf, payment_server: PaymentServer
) -> None:
    client = client_of(alice)
    answer = press_pay(client, go_to_check(client, "stripe:card"))
    payment_server.pay(answer["Location"])
    purchase = Purchase.objects.get()
    client.post(f"/purchases/{purchase.pk}/cancel/")
    purchase.refresh_from_db()
    assert purchase.status == "succeeded"
    assert company_balance(alice.company) == 50


@pytest.mark.parametrize("who", ["fiona", "bob", "charlie"])
def test_nobody_else_calls_a_purchase_off(
    request: pytest.FixtureRequest, alice: Member, client_of: ClientOf, who: str
) -> None:
    client = client_of(alice)
    press_pay(client, go_to_check(client, "stripe:card"))
    purchase = Purchase.objects.get()
    other: Member = request.getfixturevalue(who)
    answer = client_of(other).post(f"/purchases/{purchase.pk}/cancel/")
    assert answer.status_code == (404 if who == "charlie" else 403)
    purchase.refresh_from_db()
    assert purchase.status == "requires_action"


def test_a_final_purchase_is_not_called_off(alice: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    press_pay(client, go_to_check(client, "stripe:card"))
    purchase = Purchase.objects.get()
    client.post(f"/purchases/{purchase.pk}/cancel/")
    page = client.post(f"/purchases/{purchase.pk}/cancel/", follow=True)
    assert b"does not wait for a payment any more" in page.content


def test_who_never_comes_back_is_credited_all_the_same(
    alice: Member, client_of: ClientOf, payment_server: PaymentServer
) -> None:
    client = client_of(alice)
    answer = press_pay(client, go_to_check(client, "stripe:card"))
    payment_server.pay(answer["Location"])
    sweep()
    assert company_balance(alice.company) == 50


def test_the_address_is_asked_for_before_the_check_page(alice: Member, client_of: ClientOf) -> None:
    Company.objects.filter(pk=alice.company_id).update(city="", siren="")
    client = client_of(alice)
    check = go_to_check(client, "stripe:card")
    answer = client.get(check)
    assert answer["Location"].startswith("/buy/details/")
    draft = parse_qs(urlsplit(check).query)["draft"][0]
    assert press_pay(client, check)["Location"].startswith("/buy/details/")
    assert not Purchase.objects.exists()
    assert draft in answer["Location"] or "draft=" in answer["Location"]


def test_the_api_names_the_page_on_which_to_pay(
    alice: Member, payment_server: PaymentServer
) -> None:
    _token, secret = issue_token(actor=Actor.of_member(alice), name="x", scopes=["read", "write"])
    answer = Client().post(
        "/api/v1/purchases",
        {"amount": "50.00", "payment_method": "stripe:paypal"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"},
    )
    assert (answer.status_code, answer.json()["status"]) == (201, "requires_action")
    assert answer.json()["action_url"].startswith(payment_server.base)
    assert Decimal(answer.json()["total"]) == Decimal("60.00")


@pytest.mark.parametrize("name", ["stripe:transfer", "stripe:", "nobody:card", "stripe:card:x"])
def test_a_way_that_the_gateway_does_not_take_is_refused(
    alice: Member, client_of: ClientOf, name: str
) -> None:
    client = client_of(alice)
    assert client.post("/buy/", {"method": name}).status_code == 422
    assert client.get("/buy/amount/", {"method": name})["Location"] == "/buy/"
    assert not Purchase.objects.exists()
