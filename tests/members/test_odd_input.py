"""What people type that nobody expects: odd addresses, names from everywhere, two at once."""

import threading
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client

from members.actors import Actor
from members.addresses import normal_email
from members.companies import create_company
from members.delivery import send_pending_invitations
from members.details import update_member
from members.errors import InvalidField, InvitationForSomebodyElse
from members.invitations import accept_invitation, invite_members
from members.joining import create_member
from members.lists import create_list
from members.models import Company, Invitation, Member, User
from members.profile import update_profile
from members.verdicts import judge_entries, split_entries
from skypemgr.lib.outbox import Message
from tests.api.conftest import Api, refused
from tests.api.conftest import api as api  # noqa: PLC0414
from tests.conftest import PASSWORD, ClientOf, make_company, make_user
from tests.members.conftest import Invite, path_in

Outbox = Callable[[], list[Message]]
PLUS = "dora+skype@example.com"
IDN = "jeanne@münchen.example"
IDN_PLAIN = "jeanne@xn--mnchen-3ya.example"
LONG = "x" * 60 + "@" + ".".join(["y" * 57] * 4) + ".example"
OVERRIDE = "\u202e"
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"


def codes(company: Company, text: str) -> list[str]:
    """The verdicts of a paste."""
    found = judge_entries(company=company, way="email", entries=split_entries(text))
    return [verdict.code.value for verdict in found]


def test_a_plus_an_idn_a_long_one_and_a_repetition_in_one_paste(alice: Member) -> None:
    assert len(LONG) == 300
    text = f"{PLUS}\n{IDN}, {LONG}; {PLUS.upper()}\n{IDN_PLAIN}\njürgen@example.com"
    assert codes(alice.company, text) == [
        "ok",
        "ok",
        "malformed_email",
        "twice",
        "twice",
        "malformed_email",
    ]


def test_an_address_with_a_plus_is_invited_and_kept_apart_from_the_one_without(
    alice: Member, invite: Invite, outbox: Outbox
) -> None:
    path = invite(alice, PLUS)
    assert outbox()[0].to == [PLUS]
    assert codes(alice.company, "dora@example.com") == ["ok"]
    with pytest.raises(InvitationForSomebodyElse):
        accept_invitation(token=path.split("/")[2], user=make_user("dora"))
    page = Client().get(path).content.decode()
    assert "email=dora%2Bskype%40example.com" in page


def test_an_international_address_is_one_address_however_it_is_written(
    alice: Member, invite: Invite, outbox: Outbox
) -> None:
    assert normal_email(IDN_PLAIN) == normal_email(IDN.upper()) == IDN
    path = invite(alice, IDN_PLAIN)
    assert Invitation.objects.get().address == IDN
    user = User.objects.create_user("jeanne", IDN, PASSWORD)
    EmailAddress.objects.create(user=user, email=IDN, verified=True, primary=True)
    client = Client()
    for written in (IDN, IDN_PLAIN, IDN.upper()):
        answer = client.post("/accounts/login/", {"login": written, "password": PASSWORD})
        assert answer.status_code == 302, written
        client.logout()
    assert accept_invitation(token=path.split("/")[2], user=user).company == alice.company


@pytest.mark.parametrize("address", [LONG, "a@b", "a b@example.com", "a@exa_mple.com", "@", "a@.."])
def test_an_address_that_is_none_is_told_by_every_door(
    client_of: ClientOf, api: Api, alice: Member, address: str
) -> None:
    with pytest.raises(InvalidField):
        normal_email(address)
    form = {"name": "Dora", "email": address, "role": "member", "list": "", "username": ""}
    answer = client_of(alice).post("/members/create/", form)
    assert answer.status_code == 422
    assert answer.context["form"].errors["email"]
    body = api(alice).post("members", {"name": "Dora", "email": address}).json()
    assert body["status"] == 422
    assert body["errors"][0]["field"] == "email"
    assert not User.objects.filter(name="Dora").exists()


@pytest.mark.django_db(transaction=True)
def test_two_people_who_accept_one_link_at_once_do_not_both_get_in(invite: Invite) -> None:
    alice = make_company("Acme", "alice")
    token = invite(alice, "dora@example.com").split("/")[2]
    people = [make_user("dora"), make_user("eve")]
    start = threading.Barrier(2)
    outcomes: dict[str, str] = {}

    def accept(user: User) -> None:
        start.wait(timeout=10)
        try:
            accept_invitation(token=token, user=user)
            outcomes[str(user)] = "in"
        except InvitationForSomebodyElse as error:
            outcomes[str(user)] = error.code
        finally:
            connection.close()

    threads = [threading.Thread(target=accept, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert outcomes == {"Dora": "in", "Eve": "invitation_for_somebody_else"}
    assert [member.user for member in Member.objects.exclude(pk=alice.pk)] == [people[0]]


def test_accepting_while_signed_in_as_somebody_else_changes_nothing_for_either(
    client_of: ClientOf, alice: Member, bob: Member, charlie: Member, invite: Invite
) -> None:
    path = invite(alice, "dora@example.com")
    for other in (bob, charlie):
        answer = client_of(other).post(path)
        assert answer.status_code in (403, 409)
    assert Invitation.objects.get().status == "pending"
    assert Member.objects.get(pk=charlie.pk).company.name == "Other"
    dora = accept_invitation(token=path.split("/")[2], user=make_user("dora"))
    assert dora.company == alice.company


NAMES = [
    ("Dora\tPetit", "Dora Petit"),
    ("Dora\r\nPetit", "Dora Petit"),
    ("Dora\u2028Petit", "Dora Petit"),
    (f"Dora {OVERRIDE}titeP", "Dora titeP"),
    ("دورا", "دورا"),
    (f"Dora {FAMILY} 🎉", f"Dora {FAMILY} 🎉"),
    ("Dora\x07\x1b[31m", "Dora[31m"),
]


@pytest.mark.parametrize(("typed", "kept"), NAMES)
def test_a_name_of_any_script_stands_on_one_line_and_turns_nothing_round(
    client_of: ClientOf, alice: Member, bob: Member, typed: str, kept: str
) -> None:
    actor = Actor.of_member(alice)
    made = create_member(actor=actor, name=typed, email="dora@example.com")
    assert made.name == kept
    assert update_member(actor=actor, member=bob, name=typed, job_title=typed).job_title == kept
    assert update_profile(actor=Actor.of_member(bob), name=typed).name == kept
    assert create_list(actor=actor, name=typed).name == kept
    entry = f"{typed.splitlines()[0]} <eve@example.com>"
    (verdict,) = judge_entries(company=alice.company, way="email", entries=[entry])
    assert OVERRIDE not in verdict.name
    page = client_of(alice).get("/members/")
    assert kept in page.content.decode()


def test_a_company_has_a_name_on_one_line(db: None) -> None:
    company, _member = create_company(
        name=f"Radium\n{OVERRIDE}SA",
        country="FR",
        currency="EUR",
        time_zone="Europe/Paris",
        language="en",
        user=make_user("newcomer"),
    )
    assert company.name == "Radium SA"


def test_a_nul_is_refused_and_never_an_error_of_ours(
    client_of: ClientOf, api: Api, alice: Member
) -> None:
    form = {"name": "Do\0ra", "email": "dora@example.com", "role": "member"}
    assert client_of(alice).post("/members/create/", form).status_code == 422
    refused(
        api(alice).post("members", {"name": "Do\0ra", "email": "dora@example.com"}),
        422,
        "null_characters_not_allowed",
    )
    invite_members(actor=Actor.of_member(alice), way="email", addresses=["x@example.com"])
    answer = client_of(alice).post(
        "/members/invite/", {"way": "email", "addresses": "a\0@example.com"}
    )
    assert answer.status_code == 422


def test_somebody_invited_by_text_message_signs_up_with_that_number(
    alice: Member, outbox: Outbox
) -> None:
    actor = Actor.of_member(alice)
    invite_members(actor=actor, way="phone", addresses=["+33612345678"])
    assert send_pending_invitations() == 1
    page = Client().get(path_in(outbox()[0], "/invitations/")).content.decode()
    assert "phone=%2B33612345678" in page
    form = Client().get("/accounts/signup/?phone=%2B33612345678").content.decode()
    assert 'value="+33612345678"' in form
    odd = Client().get("/accounts/signup/?phone=%22%3Ex").content.decode()
    assert '">x' not in odd
