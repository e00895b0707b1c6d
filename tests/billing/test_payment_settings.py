"""Payment settings: the cards, the rule, its consent; and the mails about payments."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from billing.auto_purchase import evaluate_auto_purchase
from billing.auto_rules import save_rule
from billing.consent import VERSION
from billing.models import AutoPurchaseConsent, AutoPurchaseRule, PaymentMethod, Purchase
from billing.purchases import advance_purchase
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
    card = PaymentMethod.objects.get()
    usual = {
        "method": card.pk,
        "amount": "50",
        "level": "20",
        "monthly_limit": "200",
        "consent": "on",
    }
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def with_card(alice: Member, client_of: ClientOf) -> Client:
    buy(alice)
    return client_of(alice)


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
    assert b"checked" not in browser.get(ADDRESS).content


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


def test_a_card_is_removed_unless_the_rule_pays_with_it(alice: Member, client_of: ClientOf) -> None:
    browser = with_card(alice, client_of)
    browser.post(ADDRESS, fields())
    remove = f"/settings/payment/cards/{PaymentMethod.objects.get().pk}/remove/"
    assert "This card pays for auto-recharge" in text_of(browser.post(remove, follow=True))
    browser.post("/settings/payment/off/")
    browser.post(remove)
    assert "No saved card yet" in text_of(browser.get(ADDRESS))


@pytest.mark.parametrize("address", ["", "off/", "resume/", "cards/1/remove/"])
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
    remove = f"/settings/payment/cards/{card.pk}/remove/"
    assert client_of(charlie).post(remove).status_code == 404
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
