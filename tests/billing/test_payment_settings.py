"""Payment settings: the cards, the rule, its consent; and the mails about payments."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from billing.auto_purchase import evaluate_auto_purchase
from billing.auto_rules import save_rule
from billing.consent import VERSION
from billing.methods import list_methods
from billing.models import AutoPurchaseConsent, AutoPurchaseRule, PaymentMethod, Purchase
from billing.purchases import advance_purchase
from billing.switches import stop_purchases
from members.actors import Actor
from members.mailing import send_pending_notices
from members.models import Member, Notice
from members.notices import NoticeKind, tell_member
from skypemgr.lib.periods import utc_now
from tests.billing.conftest import (
    ASKING_LATER,
    DECLINED_LATER,
    STOLEN,
    buy,
    card_of,
    rule_of,
    terms,
    text_of,
)
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db
ADDRESS = "/settings/payment/"
PAYMENT_KINDS = (
    NoticeKind.PURCHASE_SUCCEEDED,
    NoticeKind.PURCHASE_DECLINED,
    NoticeKind.AUTO_PURCHASE_DECLINED,
    NoticeKind.AUTO_PURCHASE_PAUSED,
    NoticeKind.AUTHENTICATION_NEEDED,
)
BOUGHT = {
    "amount": "50",
    "vat_rate": "20",
    "vat_reason": "domestic",
    "vat_amount": "10",
    "balance_after": "50",
}


def fields(**changed: Any) -> dict[str, Any]:
    usual = {
        "method": changed.get("method") or PaymentMethod.objects.get().pk,
        "amount": "50",
        "level": "20",
        "monthly_limit": "200",
        "consent": "on",
    }
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def with_card(alice: Member, client_of: ClientOf) -> Client:
    buy(alice)
    return client_of(alice)


def offered(page: str) -> dict[str, str]:
    """The hidden fields of the first offer to take over."""
    form = page.split('action="/settings/payment/take-over/"')[1].split("</form>", maxsplit=1)[0]
    pairs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: value for name, value in pairs if name != "csrfmiddlewaretoken"}


def with_rule(alice: Member, number: str) -> Purchase:
    """A rule on that card which has just bought."""
    buy(alice, "1")
    save_rule(
        actor=Actor.of_member(alice),
        method=card_of(alice, number),
        terms=terms(),
        consent_version=VERSION,
    )
    pk = evaluate_auto_purchase(alice.company_id)
    assert pk is not None
    return advance_purchase(pk)


def test_without_a_card_the_page_says_how_to_get_one(alice: Member, client_of: ClientOf) -> None:
    assert "No saved card yet" in text_of(client_of(alice).get(ADDRESS))


def test_a_rule_is_saved_with_consent_and_shown(alice: Member, client_of: ClientOf) -> None:
    browser = with_card(alice, client_of)
    assert browser.post(ADDRESS, fields())["Location"] == ADDRESS
    words = text_of(browser.get(ADDRESS))
    assert "Buys €50.00 with Test card •••• 4242" in words
    assert "at most €200.00 a month before VAT" in words
    assert "Alice, " in words
    assert AutoPurchaseConsent.objects.get().text_version == VERSION


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"consent": None}, "Please read what auto-recharge does and agree to it."),
        ({"level": "0"}, "The amount must be above 0."),
        ({"level": "1.500"}, "Do you mean"),
        ({"amount": "abc"}, "This is not an amount."),
        ({"amount": "0.10"}, "You can buy €1.00 or more."),
        ({"monthly_limit": "49.99"}, "The monthly limit must be at least"),
        ({"monthly_limit": ""}, "Enter an amount."),
        ({"method": "999999"}, "Select a valid choice."),
    ],
)
def test_a_wrong_rule_gets_a_sentence_and_changes_nothing(
    alice: Member, client_of: ClientOf, changed: dict[str, Any], words: str
) -> None:
    browser = with_card(alice, client_of)
    answer = browser.post(ADDRESS, fields(**changed))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not AutoPurchaseRule.objects.exists()
    assert not AutoPurchaseConsent.objects.exists()


def test_the_consent_is_never_ticked_beforehand(alice: Member, client_of: ClientOf) -> None:
    browser = with_card(alice, client_of)
    browser.post(ADDRESS, fields())
    page = browser.get(ADDRESS).content.decode()
    (box,) = re.findall(r"<input[^>]*name=.consent.[^>]*>", page)
    assert "checked" not in box


def test_switched_off_paused_and_resumed(alice: Member, client_of: ClientOf) -> None:
    with_rule(alice, STOLEN)
    browser = client_of(alice)
    words = text_of(browser.get(ADDRESS))
    assert "Paused" in words
    assert "The card was reported stolen" in words
    browser.post("/settings/payment/resume/")
    assert rule_of(alice).state == "on"
    browser.post("/settings/payment/off/")
    assert rule_of(alice).state == "off"
    assert "Resume" not in text_of(browser.get(ADDRESS))


def test_a_decline_shows_when_it_tries_again(alice: Member, client_of: ClientOf) -> None:
    with_rule(alice, DECLINED_LATER)
    words = text_of(client_of(alice).get(ADDRESS))
    assert "Will try again" in words
    assert "The next attempt is on" in words


def test_a_card_that_pays_for_nothing_is_removed_on_a_page_of_its_own(
    alice: Member, client_of: ClientOf
) -> None:
    browser = with_card(alice, client_of)
    remove = f"{ADDRESS}methods/{PaymentMethod.objects.get().pk}/remove/"
    assert "Remove Test card •••• 4242" in text_of(browser.get(remove))
    assert browser.post(remove)["Location"] == ADDRESS
    assert "No saved card yet" in text_of(browser.get(ADDRESS))
    assert browser.get(remove).status_code == 404


def test_who_removes_what_pays_for_auto_recharge_says_what_becomes_of_it(
    alice: Member, client_of: ClientOf
) -> None:
    browser = with_card(alice, client_of)
    buy(alice, number=ASKING_LATER)
    card, other = PaymentMethod.objects.order_by("pk")
    browser.post(ADDRESS, fields(method=card.pk))
    remove = f"{ADDRESS}methods/{card.pk}/remove/"
    words = text_of(browser.get(remove))
    assert "Auto-recharge pays with it" in words
    assert "I agree that Test card •••• 3155 is charged €50.00" in words
    for wrong, sentence in (
        ({}, "Choose what becomes of auto-recharge."),
        ({"then": str(other.pk)}, "Please read what auto-recharge does and agree to it."),
        ({"then": str(card.pk), "consent": "on"}, "Select a valid choice."),
    ):
        answer = browser.post(remove, wrong)
        assert (answer.status_code, sentence in text_of(answer)) == (422, True)
    assert rule_of(alice).method == card
    browser.post(remove, {"then": str(other.pk), "consent": "on"})
    assert (rule_of(alice).state, rule_of(alice).method) == ("on", other)
    card.refresh_from_db()
    assert card.removed_at is not None


def test_the_balance_to_bring_back_to_is_saved_and_shown(
    alice: Member, client_of: ClientOf
) -> None:
    browser = with_card(alice, client_of)
    browser.post(ADDRESS, fields(how="target", target="80", amount=""))
    assert (rule_of(alice).target, rule_of(alice).amount) == (80, None)
    words = text_of(browser.get(ADDRESS))
    assert "balance back to €80.00 with Test card •••• 4242 when it falls" in words
    assert "what is missing to €80.00" in AutoPurchaseConsent.objects.get().text
    assert "brings the balance back to €80.00" in text_of(
        browser.get(f"/buy/amount/?method={PaymentMethod.objects.get().pk}")
    )


@pytest.mark.parametrize(
    ("target", "limit", "words"),
    [
        ("19.99", "200", "must be at least the level below which it is bought"),
        ("", "200", "Enter an amount."),
        ("80", "79.99", "The monthly limit must be at least the balance to bring back to."),
        ("2000000", "3000000", "You can buy at most"),
    ],
)
def test_a_wrong_balance_to_bring_back_to_gets_a_sentence(
    alice: Member, client_of: ClientOf, target: str, limit: str, words: str
) -> None:
    browser = with_card(alice, client_of)
    wish = fields(how="target", target=target, monthly_limit=limit, amount="")
    answer = browser.post(ADDRESS, wish)
    assert (answer.status_code, words in text_of(answer)) == (422, True)
    assert not AutoPurchaseRule.objects.exists()


def test_what_is_typed_is_told_in_words_at_once(alice: Member, client_of: ClientOf) -> None:
    browser = with_card(alice, client_of)
    fragment = {"HX-Request": "true", "HX-Target": "rule-preview"}
    wish = fields(consent=None, how="amount")
    words = text_of(browser.get(ADDRESS, wish, headers=fragment))
    assert words.startswith("Buys €50.00 with Test card •••• 4242")
    assert "I agree that Test card •••• 4242 is charged €50.00 plus VAT" in words
    wish["level"] = "twenty"
    assert "As soon as the fields are filled in" in text_of(
        browser.get(ADDRESS, wish, headers=fragment)
    )
    assert not AutoPurchaseRule.objects.exists()


def test_another_saved_card_takes_over_with_one_press_beside_its_consent(
    alice: Member, client_of: ClientOf
) -> None:
    with_rule(alice, STOLEN)
    browser = client_of(alice)
    page = browser.get(ADDRESS)
    words = text_of(page)
    assert "I agree that Test card •••• 4242 is charged €50.00 plus VAT" in words
    assert "I agree: pay with Test card •••• 4242" in words
    press = offered(page.content.decode())
    assert browser.post(f"{ADDRESS}take-over/", press)["Location"] == ADDRESS
    rule = rule_of(alice)
    assert (rule.state, rule.method.label) == ("on", "•••• 4242")
    assert AutoPurchaseConsent.objects.latest("pk").method == rule.method


def test_a_press_on_terms_that_changed_meanwhile_is_no_consent(
    alice: Member, client_of: ClientOf
) -> None:
    with_rule(alice, STOLEN)
    browser = client_of(alice)
    press = offered(browser.get(ADDRESS).content.decode())
    AutoPurchaseRule.objects.update(amount=Decimal(500), monthly_limit=Decimal(5000))
    answer = browser.post(f"{ADDRESS}take-over/", press, follow=True)
    assert "Auto-recharge has changed meanwhile." in text_of(answer)
    assert rule_of(alice).state == "paused"


def test_the_methods_are_put_in_order(alice: Member, client_of: ClientOf) -> None:
    browser = with_card(alice, client_of)
    buy(alice, number=ASKING_LATER)
    first, second = PaymentMethod.objects.order_by("pk")
    assert "Back-up 1" in text_of(browser.get(ADDRESS))
    for _press in range(2):
        browser.post(f"{ADDRESS}methods/order/", {"order": f"{second.pk},{first.pk}"})
    assert [one.pk for one in list_methods(alice.company)] == [second.pk, first.pk]
    second.refresh_from_db()
    assert second.is_default
    for wrong in ("", "x", "99999999", f"{first.pk},{'9' * 30}x,77777"):
        assert browser.post(f"{ADDRESS}methods/order/", {"order": wrong}).status_code == 404


def test_the_history_tells_each_change(alice: Member, client_of: ClientOf) -> None:
    with_rule(alice, STOLEN)
    words = text_of(client_of(alice).get(ADDRESS))
    assert "History The payment was declined" in words


def test_an_expired_default_is_marked(alice: Member, client_of: ClientOf) -> None:
    browser = with_card(alice, client_of)
    today = utc_now().date()
    for days, mark in ((-1, "Expired"), (10, "Expires soon")):
        PaymentMethod.objects.update(expires_on=today + timedelta(days=days))
        assert mark in text_of(browser.get(ADDRESS))
    PaymentMethod.objects.update(expires_on=today + timedelta(days=400))
    assert "Expire" not in text_of(browser.get(ADDRESS))


def test_a_stop_of_the_operator_is_told_calmly(alice: Member, client_of: ClientOf) -> None:
    browser = with_card(alice, client_of)
    browser.post(ADDRESS, fields())
    stop_purchases(automatic_only=True, reason="")
    words = text_of(browser.get(ADDRESS))
    assert "Waiting" in words
    assert "Auto-recharge is paused for now by the operator of this service." in words
    assert "No more credit is bought automatically" not in words


@pytest.mark.parametrize(
    "address",
    ["", "off/", "resume/", "take-over/", "methods/order/", "methods/1/remove/"],
)
def test_only_administrators_change_payment_settings(
    alice: Member, bob: Member, fiona: Member, client_of: ClientOf, address: str
) -> None:
    with_card(alice, client_of).post(ADDRESS, fields())
    for member in (bob, fiona):
        assert client_of(member).post(f"{ADDRESS}{address}", fields()).status_code == 403
    assert rule_of(alice).state == "on"
    assert AutoPurchaseConsent.objects.count() == 1


def test_another_companys_card_is_not_found(
    alice: Member, charlie: Member, client_of: ClientOf
) -> None:
    buy(alice)
    card = PaymentMethod.objects.get()
    remove = f"/settings/payment/methods/{card.pk}/remove/"
    assert client_of(charlie).get(remove).status_code == 404
    assert client_of(charlie).post(remove).status_code == 404
    order = client_of(charlie).post(f"{ADDRESS}methods/order/", {"order": str(card.pk)})
    assert order.status_code == 404
    assert client_of(charlie).post(ADDRESS, fields()).status_code == 422
    card.refresh_from_db()
    assert card.removed_at is None


def send_mails(language: str, alice: Member) -> list[tuple[str, str]]:
    alice.user.language = language
    alice.user.save(update_fields=("language",))
    send_pending_notices()
    return [(str(message.subject), str(message.body)) for message in mail.outbox]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_kind_of_mail_is_told_and_written(alice: Member, language: str) -> None:
    with_rule(alice, STOLEN)
    Notice.objects.update(mailed_at=utc_now())
    facts = Notice.objects.get(kind="auto_purchase_paused").data
    for kind in PAYMENT_KINDS:
        tell_member(alice, kind, key=kind, **{**BOUGHT, **facts})
    mails = send_mails(language, alice)
    assert len(mails) == len(PAYMENT_KINDS)
    assert len({subject for subject, _body in mails}) == len(PAYMENT_KINDS)
    for subject, body in mails:
        assert "{{" not in subject + body
        assert "None" not in subject + body


def test_the_receipt_tells_net_vat_total_and_balance(alice: Member) -> None:
    buy(alice, "50")
    ((subject, body),) = send_mails("en", alice)
    assert subject == "Receipt: your payment of €60.00 was received"
    for part in (
        "€50.00 were added to the credit of Acme",
        "VAT 20 %  €10.00",
        "Total  €60.00",
        "/purchases/",
    ):
        assert part in body


def test_the_mail_about_authentication_carries_the_signed_link(
    alice: Member, client: Client
) -> None:
    purchase = with_rule(alice, ASKING_LATER)
    body = send_mails("en", alice)[-1][1]
    path = "/purchases/authenticate/" + body.split("/purchases/authenticate/")[1].split()[0]
    assert client.get(path)["Location"] == purchase.action_url


def test_the_mail_about_a_pause_says_why(alice: Member) -> None:
    with_rule(alice, STOLEN)
    subject, body = send_mails("en", alice)[-1]
    assert subject == "Auto-recharge is paused"
    assert "reported stolen" in body
