"""The pages of voicemail, forwarding and caller ID: by each role, and with wrong input."""

from typing import Any

import pytest
from django.test import Client

from billing.features.phones import read_phone
from billing.leaving import remove_members
from billing.models import NumberArea, PhoneNumber, PhoneSettings, Subscription
from billing.renewals import end_overdue
from members.actors import Actor
from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.billing.features.conftest import at
from tests.billing.features.phone_kit import MOBILE, TERMS, equip, number_of, price_calls
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db

VOICEMAIL = {
    "is_on": "on",
    "answer_after_seconds": "25",
    "greeting": "text",
    "greeting_text": TERMS.greeting_text,
    "greeting_language": "fr",
    "email": "bob@example.com",
}
FORWARDING = {"number_0": "06 12 34 56 78", "delay_0": "15", "number_2": "+33142278900"}
FORWARDING |= {"delay_1": "", "delay_2": "20"}


@pytest.fixture
def own(alice: Member, bob: Member) -> str:
    """bob has every feature and this number."""
    area = NumberArea.objects.create(country="FR", code="1", name="Paris")
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+3318000000{last}", area=area) for last in range(2)
    )
    price_calls("33")
    equip(alice, bob)
    Subscription.objects.update(paid_until="2099-01-01", charge_on=None, renews=False)
    feature = number_of(alice, bob)
    assert feature.number is not None
    return feature.number.e164


def pk_of(kind: str) -> int:
    return Subscription.objects.get(kind=kind).pk


def own_page(kind: str) -> str:
    return f"/me/features/{pk_of(kind)}/"


def settings_page(kind: str) -> str:
    return f"/features/{pk_of(kind)}/settings/"


def save(client: Client, page: str, data: dict[str, Any]) -> int:
    """The answer's status; a saved form leads to its page again, which says so."""
    answer = client.post(page, data)
    if answer.status_code == 302:
        assert answer["Location"] == page
        assert "Saved." in client.get(page).content.decode()
    return answer.status_code


@pytest.mark.parametrize("address", [own_page, settings_page])
def test_each_kind_is_set_by_the_member_and_by_the_administrator(
    client_of: ClientOf, alice: Member, bob: Member, own: str, address: Any
) -> None:
    client = client_of(bob if address is own_page else alice)
    assert save(client, address("voicemail"), VOICEMAIL) == 302
    assert save(client, address("call_forwarding"), FORWARDING) == 302
    assert save(client, address("caller_id"), {"number": own}) == 302
    phone = read_phone(bob)
    assert phone.voicemail == TERMS
    assert [(each.number, each.delay_seconds) for each in phone.targets] == [
        (MOBILE, 15),
        ("+33142278900", 20),
    ]
    assert phone.caller_id == own
    shown = client.get(address("call_forwarding")).content.decode()
    assert "+33 6 12 34 56 78" in shown
    assert save(client, address("call_forwarding"), {}) == 302
    assert save(client, address("caller_id"), {"number": ""}) == 302
    assert save(client, address("voicemail"), {**VOICEMAIL, "is_on": ""}) == 302
    phone = read_phone(bob)
    assert (phone.targets, phone.caller_id, phone.voicemail.is_on) == ((), None, False)


@pytest.mark.parametrize("kind", ["voicemail", "call_forwarding", "caller_id"])
def test_nobody_else_opens_them(
    client_of: ClientOf,
    alice: Member,
    bob: Member,
    fiona: Member,
    charlie: Member,
    own: str,
    kind: str,
) -> None:
    before = PhoneSettings.objects.values().get(pk=bob.pk)
    for member, page, status in (
        (fiona, settings_page(kind), 403),
        (bob, settings_page(kind), 403),
        (charlie, settings_page(kind), 404),
        (alice, own_page(kind), 404),
        (fiona, own_page(kind), 404),
        (charlie, own_page(kind), 404),
    ):
        client = client_of(member)
        assert client.get(page).status_code == status
        assert client.post(page, {**VOICEMAIL, **FORWARDING, "number": own}).status_code == status
    assert Client().get(own_page(kind)).status_code == 302
    assert PhoneSettings.objects.values().get(pk=bob.pk) == before


def test_what_has_nothing_to_set_has_no_page(
    client_of: ClientOf, alice: Member, bob: Member, own: str
) -> None:
    assert client_of(alice).get(settings_page("number")).status_code == 404
    assert client_of(bob).get(own_page("number")).status_code == 404
    assert client_of(bob).get("/me/features/0/").status_code == 404
    assert client_of(bob).get(f"/me/features/{'9' * 30}/").status_code == 404
    assert client_of(alice).get("/features/999999999/settings/").status_code == 404


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("voicemail", {}, "Write a number of seconds from 0 to 120."),
        ("voicemail", {**VOICEMAIL, "answer_after_seconds": "121"}, "from 0 to 120."),
        ("voicemail", {**VOICEMAIL, "answer_after_seconds": "1e9"}, "from 0 to 120."),
        ("voicemail", {**VOICEMAIL, "greeting": "song"}, "song"),
        ("voicemail", {**VOICEMAIL, "greeting_text": " "}, "Write the words to be read out."),
        ("voicemail", {**VOICEMAIL, "email": "bob"}, "valid email address"),
        ("call_forwarding", {"number_0": "112", "delay_0": "5"}, "emergency number"),
        ("call_forwarding", {"number_1": "0899123456", "delay_1": "5"}, "premium-rate"),
        ("call_forwarding", {"number_0": "bob", "delay_0": "5"}, "Enter a valid phone number"),
        ("call_forwarding", {"number_0": "x" * 50, "delay_0": "5"}, "at most 40 characters"),
        ("call_forwarding", {"number_0": MOBILE}, "Write a number of seconds"),
        ("call_forwarding", {"number_0": MOBILE, "delay_0": "-1"}, "Write a number of seconds"),
        (
            "call_forwarding",
            {"number_0": MOBILE, "delay_0": "1", "number_2": MOBILE, "delay_2": "1"},
            "This number is there already.",
        ),
        ("caller_id", {"number": MOBILE}, "valid choice"),
    ],
)
def test_wrong_input_is_said_beside_its_field_and_kept(
    client_of: ClientOf, bob: Member, own: str, kind: str, data: dict[str, str], words: str
) -> None:
    before = PhoneSettings.objects.values().get(pk=bob.pk)
    answer = client_of(bob).post(own_page(kind), data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    for typed in data.values():
        assert typed.strip() in page
    assert PhoneSettings.objects.values().get(pk=bob.pk) == before


def test_the_refusal_stands_at_the_row_that_was_typed(
    client_of: ClientOf, bob: Member, own: str
) -> None:
    data = {"number_1": MOBILE, "delay_1": "1", "number_2": own, "delay_2": "1"}
    page = client_of(bob).post(own_page("call_forwarding"), data).content.decode()
    assert 'id="id_number_2_error"' in page
    assert 'id="id_number_0_error"' not in page


def test_an_ended_feature_says_so_and_refuses(
    client_of: ClientOf, alice: Member, bob: Member, own: str
) -> None:
    page, mine = settings_page("voicemail"), own_page("voicemail")
    Subscription.objects.filter(kind="voicemail").update(
        paid_until="2026-03-01", started_on="2026-02-01"
    )
    end_overdue(now=at("2026-03-02"))
    for client, address in ((client_of(alice), page), (client_of(bob), mine)):
        shown = client.get(address).content.decode()
        assert "This feature has ended" in shown
        assert '<form method="post" novalidate>' not in shown
        assert client.post(address, VOICEMAIL).status_code == 422


def test_who_left_still_sets_what_is_paid_and_who_is_suspended_reads(
    client_of: ClientOf, alice: Member, bob: Member, own: str
) -> None:
    page = own_page("voicemail")
    Member.objects.filter(pk=bob.pk).update(status="suspended")
    shown = client_of(bob).get(page)
    assert shown.status_code == 200
    assert "You are suspended" in shown.content.decode()
    assert client_of(bob).post(page, VOICEMAIL).status_code == 403
    Member.objects.filter(pk=bob.pk).update(status="active")
    remove_members(actor=Actor.of_member(alice), member_ids=[bob.pk], now=utc_now())
    assert save(client_of(bob), page, VOICEMAIL) == 302
    assert save(client_of(alice), settings_page("voicemail"), VOICEMAIL) == 302


def test_without_a_number_there_is_no_caller_id_to_choose(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    equip(alice, bob)
    Subscription.objects.update(paid_until="2099-01-01", charge_on=None, renews=False)
    assert "No number to show yet" in client_of(bob).get(own_page("caller_id")).content.decode()
    page = client_of(alice).get(settings_page("caller_id")).content.decode()
    assert "No number to show yet" in page
