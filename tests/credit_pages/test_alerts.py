"""The low-balance alert through its page, the API, the mail and the dashboard."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from credit.low_balance import describe_alert, save_alert, sweep_low_balances
from members.actors import Actor
from members.mailing import send_pending_notices
from members.models import AuditEntry, Member
from skypemgr.lib.outbox import read_messages
from tests.api.conftest import Api, refused
from tests.api.conftest import api as api  # noqa: PLC0414
from tests.conftest import ClientOf, credit_company, give
from tests.members.conftest import outbox as outbox  # noqa: PLC0414

PAGE = "/settings/alerts/"
DOOR = "company/low-balance-alert"


def test_an_administrator_sets_the_level_and_who_is_told(
    client_of: ClientOf, alice: Member, fiona: Member, bob: Member
) -> None:
    client = client_of(alice)
    page = client.get(PAGE).content.decode()
    assert "Fiona, finance" in page
    assert "Bob" not in page
    answer = client.post(PAGE, {"level": "1 250,50", "recipients": [fiona.pk]})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    status = describe_alert(alice.company)
    assert (status.level, status.recipients) == (Decimal("1250.5"), (fiona,))
    assert "The balance is below the level" in client.get(PAGE).content.decode()
    client.post(PAGE, {"level": "", "recipients": [fiona.pk]})
    assert describe_alert(alice.company).level is None
    assert AuditEntry.objects.filter(verb="switch_off_low_balance_alert").count() == 1


@pytest.mark.parametrize("level", ["1.500", "-5", "0", "x", "5.00001", "9" * 20])
def test_a_level_that_is_no_amount_is_refused(
    client_of: ClientOf, alice: Member, level: str
) -> None:
    answer = client_of(alice).post(PAGE, {"level": level})
    assert answer.status_code == 422
    assert answer.context["form"].errors["level"]
    assert describe_alert(alice.company).level is None


def test_who_may_not_read_the_balance_cannot_be_ticked(
    client_of: ClientOf, alice: Member, bob: Member, charlie: Member
) -> None:
    for stranger in (bob.pk, charlie.pk, "x"):
        answer = client_of(alice).post(PAGE, {"level": "5", "recipients": [stranger]})
        assert answer.status_code == 422
        assert answer.context["form"].errors["recipients"]


def test_nobody_but_an_administrator_opens_it(
    client_of: ClientOf, bob: Member, fiona: Member
) -> None:
    for member in (bob, fiona):
        client = client_of(member)
        assert client.get(PAGE).status_code == 403
        assert client.post(PAGE, {"level": "5"}).status_code == 403
        assert PAGE not in client.get("/settings/").content.decode()


def test_the_settings_lead_there(client_of: ClientOf, alice: Member) -> None:
    assert f'href="{PAGE}"' in client_of(alice).get("/settings/").content.decode()


def test_programs_of_administrators_set_it(
    api: Api, alice: Member, fiona: Member, bob: Member, charlie: Member
) -> None:
    client = api(alice)
    off: dict[str, Any] = {"level": None, "balance": "0.0000", "is_below": False, "recipients": []}
    assert client.get(DOOR).json() == off
    answer = client.put(DOOR, {"level": "50.00", "recipients": [fiona.pk]})
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "level": "50.0000",
        "balance": "0.0000",
        "is_below": True,
        "recipients": [fiona.pk],
    }
    refused(client.put(DOOR, {"level": "0"}), 422, "invalid_amount")
    refused(client.put(DOOR, {}), 422, "required")
    for stranger in (bob, charlie):
        wish = {"level": "5", "recipients": [stranger.pk]}
        refused(client.put(DOOR, wish), 422, "unknown_member")
    for member in (fiona, bob):
        refused(api(member).get(DOOR), 403, "not_allowed")
        refused(api(member).put(DOOR, {"level": "5"}), 403, "not_allowed")
        refused(api(member).delete(DOOR), 403, "not_allowed")
    assert api(charlie).get(DOOR).json() == off
    assert client.delete(DOOR).status_code == 204
    assert client.delete(DOOR).status_code == 204
    assert client.get(DOOR).json()["level"] is None


@pytest.mark.parametrize(("who", "way"), [("alice", "/buy/"), ("fiona", "/")])
def test_the_mail_says_the_numbers_and_leads_where_the_reader_may_go(
    outbox: Callable[..., object],
    alice: Member,
    fiona: Member,
    bob: Member,
    who: str,
    way: str,
) -> None:
    credit_company(alice.company, 100)
    reader = {"alice": alice, "fiona": fiona}[who]
    save_alert(actor=Actor.of_member(alice), level=Decimal(50), recipient_ids=[reader.pk])
    give(alice, bob, "60")
    sweep_low_balances()
    assert send_pending_notices() == 1
    message = read_messages()[0]
    assert message.to == [f"{who}@example.com"]
    assert message.subject == "Acme: the balance is down to €40.00"
    assert "fell below €50.00" in message.text
    assert message.text.rstrip().splitlines()[-1].endswith(way) or f"{way}\n" in message.text


def test_the_dashboard_says_it_while_it_is_so(
    client_of: ClientOf, alice: Member, fiona: Member, bob: Member
) -> None:
    credit_company(alice.company, 100)
    save_alert(actor=Actor.of_member(alice), level=Decimal(50), recipient_ids=[])
    words = "The company&#x27;s balance is below €50.00"
    client = client_of(alice)
    assert words not in client.get("/").content.decode()
    give(alice, bob, "60")
    assert words in client.get("/").content.decode()
    assert words in client_of(fiona).get("/").content.decode()
    credit_company(alice.company, 10)
    assert words not in client.get("/").content.decode()
