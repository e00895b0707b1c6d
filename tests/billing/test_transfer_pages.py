"""How a purchase by bank transfer looks to its buyer, through the page, the API and the mail."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from pytest_django import Settings

from billing.gateways.base import Way
from billing.models import Purchase
from billing.payment_code import draw_code, write_code
from billing.transfers import find_instructions, remind_transfers
from members.mailing import send_pending_notices
from members.models import Company, Member
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Api, api, refused
from tests.billing.conftest import text_of
from tests.billing.transfer_kit import bring, buy_by_transfer, give_address, pay
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db
__all__ = ["api"]


@pytest.fixture(autouse=True)
def _transfers(settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox", "transfer"]


@pytest.fixture
def purchase(alice: Member) -> Purchase:
    return buy_by_transfer(alice)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_says_where_to_pay_what_until_when(
    purchase: Purchase, alice: Member, fiona: Member, client_of: ClientOf, language: str
) -> None:
    instructions = find_instructions(purchase)
    assert instructions is not None
    for member in (alice, fiona):
        page = client_of(member, language).get(f"/purchases/{purchase.pk}/")
        assert page.status_code == 200
        words = text_of(page)
        for shown in (
            instructions.shown_reference,
            "FR76 3000 6000 0112 3456 7890 189",
            "EXAMFRPPXXX",
            "120",
        ):
            assert shown in words
        copied = page.content.decode()
        assert f'data-copy="{purchase.payment_reference}"' in copied
        assert f'data-copy="{"120,00" if language == "fr" else "120.00"}"' in copied
        assert "<svg" in copied


def test_once_paid_or_over_the_page_gives_no_instructions(
    purchase: Purchase, alice: Member, client_of: ClientOf
) -> None:
    bring(pay(purchase))
    words = text_of(client_of(alice).get(f"/purchases/{purchase.pk}/"))
    assert "Your payment was received" in words
    assert "FR76" not in words


def test_only_the_companys_readers_see_it(
    purchase: Purchase, bob: Member, charlie: Member, client_of: ClientOf, api: Api
) -> None:
    assert client_of(charlie).get(f"/purchases/{purchase.pk}/").status_code == 404
    assert client_of(bob).get(f"/purchases/{purchase.pk}/").status_code in (302, 403)
    refused(api(charlie).get(f"purchases/{purchase.pk}"), 404, "not_found")


def test_a_program_buys_by_transfer_and_reads_how_to_pay(alice: Member, api: Api) -> None:
    give_address(alice.company)
    door = api(alice)
    wish = {"amount": "100.00", "payment_method": "transfer"}
    made = door.post("purchases", wish, key="one")
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["status"], body["way"], body["total"]) == ("pending", Way.TRANSFER, "120.00")
    assert body["instructions"] == {
        "holder": "Skype Manager (example)",
        "iban": "FR7630006000011234567890189",
        "bic": "EXAMFRPPXXX",
        "bank": "Example Bank",
        "reference": body["payment_reference"],
        "amount": "120.00",
        "currency": "EUR",
        "expires_on": (utc_now().date() + timedelta(days=30)).isoformat(),
    }
    assert door.post("purchases", wish, key="one").json() == body
    read = door.get(f"purchases/{body['id']}").json()
    assert read["instructions"] == body["instructions"]
    bring(pay(Purchase.objects.get(pk=body["id"])))
    read = door.get(f"purchases/{body['id']}").json()
    assert (read["status"], read["instructions"]) == ("succeeded", None)


def test_without_an_address_a_program_is_told_what_is_missing(alice: Member, api: Api) -> None:
    wish = {"amount": "100.00", "payment_method": "transfer"}
    refused(api(alice).post("purchases", wish, key="one"), 422, "billing_details_missing")


def test_transfers_are_offered_in_the_accounts_currency_only(
    alice: Member, client_of: ClientOf, api: Api
) -> None:
    give_address(alice.company)
    assert "Bank transfer" in text_of(client_of(alice).get("/buy/"))
    Company.objects.filter(pk=alice.company.pk).update(currency="SEK")
    alice.company.refresh_from_db()
    assert "Bank transfer" not in text_of(client_of(alice).get("/buy/"))
    for name in ("transfer", "transfer:transfer"):
        wish = {"amount": "100.00", "payment_method": name}
        answer = api(alice).post("purchases", wish, key=name)
        refused(answer, 422, "unknown_payment_method")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_instructions_and_the_reminder_come_by_mail_once(alice: Member, language: str) -> None:
    alice.user.language = language
    alice.user.save(update_fields=["language"])
    purchase = buy_by_transfer(alice)
    instructions = find_instructions(purchase)
    assert instructions is not None
    send_pending_notices()
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.com"]
    assert isinstance(sent, mail.EmailMultiAlternatives)
    html = str(sent.alternatives[0][0])
    for text in (str(sent.body), html):
        assert instructions.shown_reference in text
        assert instructions.shown_iban in text
        assert f"/purchases/{purchase.pk}/" in text
    with time_machine.travel(utc_now() + timedelta(days=24), tick=False):
        remind_transfers()
        remind_transfers()
        send_pending_notices()
    assert len(mail.outbox) == 2
    assert instructions.shown_reference in str(mail.outbox[1].body)


def test_the_code_says_what_the_page_says(purchase: Purchase) -> None:
    instructions = find_instructions(purchase)
    assert instructions is not None
    lines = write_code(instructions).split("\n")
    assert lines[:4] == ["BCD", "002", "1", "SCT"]
    assert lines[4:8] == [
        "EXAMFRPPXXX",
        "Skype Manager (example)",
        "FR7630006000011234567890189",
        "EUR120.00",
    ]
    assert lines[9] == purchase.payment_reference
    code = draw_code(instructions)
    assert code is not None
    assert code.path.startswith("M4 4h1v1h-1z")
