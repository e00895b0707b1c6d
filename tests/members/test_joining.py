"""Accounts made directly, lists, and their pages."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from members.actors import Actor
from members.errors import (
    AlreadyInCompany,
    CompanyNotActive,
    DuplicateEmail,
    DuplicateList,
    DuplicatePhone,
    InvalidField,
    InviteInstead,
    UsernameTaken,
)
from members.joining import add_member, create_member
from members.lists import create_list
from members.mailing import send_pending_notices
from members.models import AuditEntry, Member, MemberList, User
from members.standing import freeze_company
from skypemgr.lib.errors import NotAllowed, ProductError
from skypemgr.lib.outbox import Message
from tests.conftest import ClientOf, make_company, make_user
from tests.members.conftest import path_in

Outbox = Callable[[], list[Message]]
NEW = {"email": "Dora@Example.com", "name": "Dora  Petit"}


def make(alice: Member, **fields: object) -> Member:
    return create_member(actor=Actor.of_member(alice), **{**NEW, **fields})  # type: ignore[arg-type]


def test_a_new_account_has_a_place_and_no_password(alice: Member) -> None:
    sales = create_list(actor=Actor.of_member(alice), name="Sales")
    member = make(alice, username="Dora", phone="06 12 34 56 78", list=sales, role="finance")
    user = member.user
    assert (member.name, member.list, member.role) == ("Dora Petit", sales, "finance")
    assert (user.email, user.username, str(user.phone)) == (
        "dora@example.com",
        "dora",
        "+33612345678",
    )
    assert not user.has_usable_password()
    assert not user.phone_verified
    assert AuditEntry.objects.filter(verb="create_member", subject=f"member:{member.pk}").exists()


def test_a_name_stands_on_one_line_and_turns_no_text_round(alice: Member) -> None:
    assert make(alice, name="\u202eDora\r\nBcc:\t\x07Petit\u202c 😀").name == "Dora Bcc: Petit 😀"


def test_a_person_has_one_place_at_a_time(alice: Member, charlie: Member) -> None:
    with pytest.raises(AlreadyInCompany):
        add_member(company=charlie.company, user=alice.user)
    assert Member.objects.filter(user=alice.user).count() == 1


def test_a_person_who_left_may_join_another_company(alice: Member, bob: Member) -> None:
    bob.status = Member.Status.LEFT
    bob.save(update_fields=["status"])
    assert add_member(company=bob.company, user=bob.user).pk != bob.pk


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"email": "BOB@example.com"}, DuplicateEmail, "email"),
        ({"email": "charlie@example.com"}, InviteInstead, "email"),
        ({"email": "nonsense"}, InvalidField, "email"),
        ({"name": " "}, InvalidField, "name"),
        ({"username": "charlie"}, UsernameTaken, "username"),
        ({"username": "1x"}, InvalidField, "username"),
        ({"username": "été"}, InvalidField, "username"),
        ({"phone": "12"}, InvalidField, "phone"),
        ({"phone": "+33611111111"}, DuplicatePhone, "phone"),
        ({"phone": "+33622222222"}, InviteInstead, "phone"),
        ({"role": "owner"}, InvalidField, "role"),
    ],
)
def test_a_refused_account_leaves_nothing(
    alice: Member,
    bob: Member,
    charlie: Member,
    fields: dict[str, str],
    error: type[ProductError],
    field: str,
) -> None:
    User.objects.filter(pk=bob.user.pk).update(phone="+33611111111", phone_verified=True)
    User.objects.filter(pk=charlie.user.pk).update(phone="+33622222222", phone_verified=True)
    with pytest.raises(error) as refusal:
        make(alice, **fields)
    assert refusal.value.field == field
    assert Member.objects.filter(company=alice.company).count() == 2
    assert User.objects.count() == 3


def test_a_login_outside_and_one_elsewhere_are_refused_in_the_same_words(
    alice: Member, charlie: Member
) -> None:
    make_user("free")
    with pytest.raises(InviteInstead) as elsewhere:
        make(alice, email="charlie@example.com")
    with pytest.raises(InviteInstead) as outside:
        make(alice, email="free@example.com")
    assert str(elsewhere.value) == str(outside.value)


def test_nobody_is_added_to_a_frozen_company(alice: Member) -> None:
    freeze_company(actor=Actor.system(alice.company))
    alice.company.refresh_from_db()
    with pytest.raises(CompanyNotActive):
        make(alice)
    assert User.objects.count() == 1


def test_only_administrators_create(alice: Member, bob: Member, fiona: Member) -> None:
    for member in (bob, fiona):
        with pytest.raises(NotAllowed):
            make(member)
        with pytest.raises(NotAllowed):
            create_list(actor=Actor.of_member(member), name="Sales")
    assert not MemberList.objects.exists()


def test_the_mailed_link_sets_a_password_once_and_signs_in(alice: Member, outbox: Outbox) -> None:
    member = make(alice)
    assert send_pending_notices() == 1
    (mail,) = outbox()
    assert mail.to == ["dora@example.com"]
    path = path_in(mail, "/welcome/")
    client = Client()
    assert "Acme" in client.get(path).content.decode()
    assert client.post(path, {"password1": "short"}).status_code == 422
    answer = client.post(path, {"password1": "a long enough word"})
    assert answer["Location"] == "/me/"
    assert client.get("/me/").status_code == 200
    member.user.refresh_from_db()
    assert member.user.check_password("a long enough word")
    assert member.user.emailaddress_set.get().verified  # type: ignore[attr-defined]
    again = Client().get(path)
    assert (again.status_code, b"used already" in again.content) == (410, True)


def test_a_forged_welcome_link_is_unknown(db: None) -> None:
    answer = Client().get("/welcome/abc:def/")
    assert answer.status_code == 404
    assert b"This link does not work" in answer.content


def test_a_list_name_is_used_once_whatever_its_case(alice: Member, charlie: Member) -> None:
    actor = Actor.of_member(alice)
    create_list(actor=actor, name="Équipe  Vente")
    with pytest.raises(DuplicateList):
        create_list(actor=actor, name="equipe vente")
    with pytest.raises(InvalidField):
        create_list(actor=actor, name=" ")
    theirs = create_list(actor=Actor.of_member(charlie), name="Équipe Vente")
    assert theirs.company == charlie.company
    assert MemberList.objects.filter(company=alice.company).count() == 1


def test_the_page_creates_an_account(alice: Member, client_of: ClientOf) -> None:
    answer = client_of(alice).post(
        "/members/create/",
        {"name": "Dora", "email": "dora@example.com", "role": "member", "list": ""},
    )
    made = Member.objects.get(user__email="dora@example.com")
    assert answer["Location"] == f"/members/{made.pk}/"


def test_the_page_says_in_a_sentence_why_it_refuses(
    alice: Member, bob: Member, charlie: Member, client_of: ClientOf
) -> None:
    client = client_of(alice)
    for email, words in (
        ("bob@example.com", "already has this e-mail address"),
        ("charlie@example.com", "Invite the person instead"),
    ):
        answer = client.post(
            "/members/create/", {"name": "X", "email": email, "role": "member", "list": ""}
        )
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert f'value="{email}"' in answer.content.decode()


def test_the_page_refuses_another_companys_list(
    alice: Member, charlie: Member, client_of: ClientOf
) -> None:
    theirs = create_list(actor=Actor.of_member(charlie), name="Sales")
    answer = client_of(alice).post(
        "/members/create/",
        {"name": "Dora", "email": "dora@example.com", "role": "member", "list": theirs.pk},
    )
    assert answer.status_code == 422
    assert not User.objects.filter(email="dora@example.com").exists()


def test_the_page_is_for_administrators(bob: Member, fiona: Member, client_of: ClientOf) -> None:
    for member in (bob, fiona):
        assert client_of(member).get("/members/create/").status_code == 403
    answer = Client().get("/members/create/")
    assert answer["Location"] == "/accounts/login/?next=/members/create/"


@pytest.mark.django_db(transaction=True)
def test_two_companies_creating_the_same_person_at_once_make_one_account() -> None:
    administrators = [make_company("Acme", "alice"), make_company("Other", "charlie")]
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def create(administrator: Member) -> None:
        start.wait(timeout=10)
        try:
            make(administrator, username="dora")
            outcomes.append("made")
        except ProductError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=create, args=(member,)) for member in administrators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["invite_instead", "made"]
    assert User.objects.filter(email="dora@example.com").count() == 1
