"""The three steps of inviting, and the page behind the link."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from billing.closing import close_company
from members.actors import Actor
from members.delivery import send_pending_invitations
from members.models import Invitation, Member, MemberList, User
from skypemgr.lib.outbox import Message
from skypemgr.lib.periods import utc_now
from tests.conftest import PASSWORD, ClientOf, make_user
from tests.members.conftest import Invite, path_in

Outbox = Callable[[], list[Message]]
CHECK = "/members/invite/check/"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def terms(addresses: str, **more: str) -> dict[str, str]:
    return {"way": "email", "addresses": addresses, "role": "member", "list": "", **more}


def test_the_steps_lead_from_addresses_to_a_member_in_a_new_list(
    alice: Member, client_of: ClientOf, outbox: Outbox
) -> None:
    client = client_of(alice)
    assert client.get("/members/invite/").status_code == 200
    people = "dora@example.com\r\nnonsense;eve@example.com"
    check = client.post("/members/invite/", {"way": "email", "addresses": people})
    words = check.content.decode()
    assert "2 people will be invited" in words
    assert "Not an e-mail address" in words
    assert "Acme invites you to Skype Manager" in words
    made = client.post(CHECK, terms(people, new_list="Kitchen", action="create_list"))
    kitchen = MemberList.objects.get(name="Kitchen")
    assert made.context["form"]["list"].value() == kitchen.pk
    assert made.context["form"]["addresses"].value() == people
    sent = client.post(CHECK, terms(people, list=str(kitchen.pk), action="send"))
    assert sent["Location"] == "/members/invite/sent/"
    words = client.get("/members/invite/sent/").content.decode()
    assert "2 invitations sent" in words
    assert "nonsense: Not an e-mail address" in words
    assert send_pending_invitations() == 2
    mail = next(mail for mail in outbox() if mail.to == ["dora@example.com"])
    dora = browser(make_user("dora"))
    answer = dora.post(path_in(mail, "/invitations/"), {"action": "accept"})
    assert answer["Location"] == "/me/"
    assert Member.objects.get(user__username="dora").list == kitchen


def test_going_back_keeps_what_was_typed(alice: Member, client_of: ClientOf) -> None:
    page = client_of(alice).post("/members/invite/", terms("a@example.com\nb", action="back"))
    assert page.status_code == 200
    assert "a@example.com\nb" in page.content.decode()


def test_sending_twice_invites_once(alice: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    first = client.post(CHECK, terms("dora@example.com", action="send"))
    second = client.post(CHECK, terms("dora@example.com", action="send"))
    assert (first.status_code, second.status_code) == (302, 422)
    assert "None of these can be invited" in second.content.decode()
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    "given",
    [
        {"way": "email", "addresses": ""},
        {"way": "email", "addresses": "   "},
        {"way": "pigeon", "addresses": "a@example.com"},
        {},
    ],
)
def test_a_wrong_first_step_is_shown_again(
    alice: Member, client_of: ClientOf, given: dict[str, str]
) -> None:
    assert client_of(alice).post("/members/invite/", given).status_code == 422


@pytest.mark.parametrize("more", [{"role": "owner"}, {"list": "999999"}, {"list": "x"}])
def test_a_wrong_second_step_invites_nobody(
    alice: Member, client_of: ClientOf, more: dict[str, str]
) -> None:
    answer = client_of(alice).post(CHECK, terms("a@example.com", action="send", **more))
    assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_an_empty_or_taken_list_name_is_told_beside_its_field(
    alice: Member, client_of: ClientOf
) -> None:
    client = client_of(alice)
    for name in ("", "Kitchen", "kitchen"):
        answer = client.post(CHECK, terms("a@example.com", new_list=name, action="create_list"))
    assert answer.status_code == 422
    assert answer.context["form"].errors["new_list"]
    assert MemberList.objects.count() == 1


def test_opening_a_later_step_directly_starts_over(alice: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    assert client.get(CHECK)["Location"] == "/members/invite/"
    assert client.get("/members/invite/sent/")["Location"] == "/members/invite/"


def test_the_pages_are_for_administrators(bob: Member, fiona: Member, client_of: ClientOf) -> None:
    for member in (bob, fiona):
        client = client_of(member)
        assert client.get("/members/invite/").status_code == 403
        assert client.post(CHECK, terms("a@example.com", action="send")).status_code == 403
    assert not Invitation.objects.exists()


def test_the_link_offers_an_account_to_a_stranger(alice: Member, invite: Invite) -> None:
    path = invite(alice, "dora@example.com")
    page = Client().get(path)
    words = page.content.decode()
    assert page.status_code == 200
    assert f"/accounts/signup/?next={path.replace('/', '%2F')}" in words
    assert "dora%40example.com" in words


def test_signing_up_by_the_link_needs_no_second_proof(
    alice: Member, invite: Invite, outbox: Outbox
) -> None:
    path = invite(alice, "dora@example.com")
    client = Client()
    client.get(path)
    answer = client.post(
        "/accounts/signup/",
        {
            "name": "Dora",
            "contact": "dora@example.com",
            "username": "",
            "password1": "a long enough word",
            "next": path,
        },
    )
    assert answer["Location"] == path
    assert len(outbox()) == 1
    assert client.post(path, {"action": "accept"})["Location"] == "/me/"


def test_the_link_proves_no_other_address(alice: Member, invite: Invite) -> None:
    path = invite(alice, "dora@example.com")
    client = Client()
    client.get(path)
    answer = client.post(
        "/accounts/signup/",
        {
            "name": "Eve",
            "contact": "eve@example.com",
            "username": "",
            "password1": "a long enough word",
            "next": path,
        },
    )
    assert answer["Location"].startswith("/accounts/confirm-email/")


def test_signing_in_by_the_link_comes_back_to_it(alice: Member, invite: Invite) -> None:
    path = invite(alice, "dora@example.com")
    make_user("dora")
    client = Client()
    assert client.post(path, {"action": "accept"})["Location"].startswith("/accounts/login/")
    answer = client.post("/accounts/login/", {"login": "dora", "password": PASSWORD, "next": path})
    assert answer["Location"] == path
    assert b"Accept the invitation" in client.get(path).content


def test_somebody_else_is_told_so(alice: Member, bob: Member, invite: Invite) -> None:
    path = invite(alice, "dora@example.com")
    client = browser(make_user("eve"))
    page = client.get(path)
    assert page.status_code == 403
    assert "the invitation is for dora@example.com" in page.content.decode()
    assert client.post(path, {"action": "accept"}).status_code == 403
    assert Invitation.objects.get().status == "pending"


def test_a_member_of_another_company_is_told_to_leave_first(
    alice: Member, charlie: Member, invite: Invite
) -> None:
    path = invite(alice, "charlie@example.com")
    client = browser(charlie.user)
    page = client.get(path)
    assert page.status_code == 409
    assert "leave it first" in page.content.decode()
    assert client.post(path, {"action": "accept"}).status_code == 409


def test_links_that_are_over_say_why(alice: Member, invite: Invite) -> None:
    path = invite(alice, "dora@example.com")
    client = browser(make_user("dora"))
    assert client.get("/invitations/forged/").status_code == 404
    Invitation.objects.update(expires_at=utc_now() - timedelta(seconds=1))
    expired = client.get(path)
    assert (expired.status_code, b"older than 30 days" in expired.content) == (410, True)
    Invitation.objects.update(expires_at=utc_now() + timedelta(days=1))
    client.post(path, {"action": "accept"})
    reused = client.get(path)
    assert (reused.status_code, b"accepted already" in reused.content) == (410, True)
    assert client.post(path, {"action": "accept"}).status_code == 410


def test_a_closed_company_takes_nobody(alice: Member, invite: Invite) -> None:
    path = invite(alice, "dora@example.com")
    close_company(actor=Actor.system(alice.company))
    answer = browser(make_user("dora")).post(path, {"action": "accept"})
    assert answer.status_code == 410
    assert not Member.objects.filter(user__username="dora").exists()


def test_whoever_holds_the_link_may_decline(alice: Member, invite: Invite) -> None:
    path = invite(alice, "dora@example.com")
    answer = Client().post(path, {"action": "decline"})
    assert b"You declined the invitation" in answer.content
    assert Client().get(path).status_code == 410


def test_a_waiting_invitation_is_accepted_instead_of_naming_a_company(
    alice: Member, charlie: Member, invite: Invite
) -> None:
    invite(alice, "dora@example.com")
    client = browser(make_user("dora"))
    invite(charlie, "dora")
    assert client.get("/company/new/").content.decode().count("Accept the invitation") == 2
    first, second = Invitation.objects.order_by("pk")
    declined = client.post(f"/invitations/waiting/{second.pk}/", {"action": "decline"})
    assert declined["Location"] == "/company/new/"
    stranger = browser(make_user("eve"))
    assert stranger.post(f"/invitations/waiting/{first.pk}/").status_code == 403
    assert client.post(f"/invitations/waiting/{first.pk}/")["Location"] == "/me/"
    assert client.post("/invitations/waiting/999999/").status_code == 404
    assert Member.objects.get(user__username="dora").company == alice.company
