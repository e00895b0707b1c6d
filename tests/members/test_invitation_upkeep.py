"""Invitations that wait: by phone too, sent again, revoked, handed over as a link."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from members.actors import Actor
from members.adapter import INVITED_EMAIL_KEY
from members.delivery import send_pending_invitations
from members.errors import InvitationForSomebodyElse, InvitationGone, InvitationNotFound
from members.invitation_upkeep import (
    make_link,
    resend_invitations,
    revoke_invitation,
    revoke_invitations,
)
from members.invitations import accept_invitation, invite_members, read_invitation
from members.models import AuditEntry, Invitation, Member
from members.verdicts import judge_entries
from skypemgr.lib.errors import NotAllowed
from skypemgr.lib.outbox import Message
from skypemgr.lib.periods import utc_now
from tests.conftest import ClientOf, make_user
from tests.members.conftest import Invite, path_in

Outbox = Callable[[], list[Message]]
PAGE = "/members/invitations/"
PHONE = "+33612311265"


def token_of(path: str) -> str:
    return path.removeprefix("/invitations/").removesuffix("/")


def invite_by_phone(alice: Member, text: str = "06 12 31 12 65") -> Invitation:
    invite_members(actor=Actor.of_member(alice), way="phone", addresses=[text])
    return Invitation.objects.get()


def test_a_number_is_invited_in_its_one_form_and_gets_the_link_by_sms(
    alice: Member, outbox: Outbox
) -> None:
    assert invite_by_phone(alice).address == PHONE
    assert send_pending_invitations() == 1
    message = outbox()[0]
    assert (message.kind, message.to) == ("sms", [PHONE])
    assert read_invitation(token_of(path_in(message, "/invitations/"))).way == "phone"
    verdicts = judge_entries(
        company=alice.company, way="phone", entries=["0612311265", "+3361", "+33612374115"]
    )
    assert [verdict.code for verdict in verdicts] == ["already_invited", "malformed_phone", "ok"]


def test_only_a_login_that_has_proven_the_number_accepts(alice: Member, outbox: Outbox) -> None:
    invite_by_phone(alice)
    send_pending_invitations()
    token = token_of(path_in(outbox()[0], "/invitations/"))
    dora = make_user("dora")
    dora.phone = PHONE
    dora.save(update_fields=["phone"])
    with pytest.raises(InvitationForSomebodyElse):
        accept_invitation(token=token, user=dora)
    dora.phone_verified = True
    dora.save(update_fields=["phone_verified"])
    dora.refresh_from_db()
    assert accept_invitation(token=token, user=dora).company == alice.company
    again = judge_entries(company=alice.company, way="phone", entries=[PHONE])
    assert again[0].code == "already_member"


def test_a_waiting_number_is_found_by_whoever_has_proven_it(
    alice: Member, client_of: ClientOf
) -> None:
    invite_by_phone(alice)
    dora = make_user("dora")
    dora.phone, dora.phone_verified = PHONE, True
    dora.save(update_fields=["phone", "phone_verified"])
    browser = Client()
    browser.force_login(dora, backend="django.contrib.auth.backends.ModelBackend")
    assert "invites you to join Acme" in browser.get("/company/new/").content.decode()


def test_the_three_steps_invite_a_number(alice: Member, client_of: ClientOf) -> None:
    wish = {"way": "phone", "addresses": "06 12 31 12 65\r\nnonsense"}
    check = client_of(alice).post("/members/invite/", wish).content.decode()
    assert "Not a phone number" in check
    assert "Acme invites you to Skype Manager: http" in check


def test_sending_again_kills_the_old_link_and_starts_30_new_days(
    alice: Member, invite: Invite, outbox: Outbox
) -> None:
    old = token_of(invite(alice, "dora@example.com"))
    Invitation.objects.update(expires_at=utc_now() - timedelta(days=1))
    made = Invitation.objects.get()
    changed = resend_invitations(actor=Actor.of_member(alice), invitation_ids=[made.pk])
    assert (changed.count, changed.answered_count) == (1, 0)
    assert send_pending_invitations() == 1
    new = token_of(path_in(outbox()[0], "/invitations/"))
    assert new != old
    with pytest.raises(InvitationNotFound):
        read_invitation(old)
    left = read_invitation(new).expires_at - utc_now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    assert AuditEntry.objects.get(verb="resend_invitations").data["count"] == 1


def test_what_was_answered_is_neither_sent_again_nor_revoked(alice: Member, invite: Invite) -> None:
    invite(alice, "dora@example.com")
    actor = Actor.of_member(alice)
    revoke_invitation(actor=actor, invitation=Invitation.objects.get())
    ids = list(Invitation.objects.values_list("pk", flat=True))
    for act in (resend_invitations, revoke_invitations):
        changed = act(actor=actor, invitation_ids=ids)
        assert (changed.count, changed.answered_count) == (0, 1)
    assert Invitation.objects.get().status == "revoked"
    with pytest.raises(InvitationGone):
        make_link(actor=actor, invitation=Invitation.objects.get())


def test_nobody_else_touches_the_invitations(
    alice: Member, bob: Member, charlie: Member, invite: Invite
) -> None:
    token = token_of(invite(alice, "dora@example.com"))
    ids = [Invitation.objects.get().pk]
    for act in (resend_invitations, revoke_invitations):
        with pytest.raises(NotAllowed):
            act(actor=Actor.of_member(bob), invitation_ids=ids)
        with pytest.raises(InvitationNotFound):
            act(actor=Actor.of_member(charlie), invitation_ids=ids)
    with pytest.raises(InvitationNotFound):
        make_link(actor=Actor.of_member(charlie), invitation=Invitation.objects.get())
    assert read_invitation(token).pk == ids[0]


def test_a_link_that_was_shown_proves_no_address(alice: Member, invite: Invite) -> None:
    mailed = invite(alice, "dora@example.com")
    visitor = Client()
    visitor.get(mailed)
    assert visitor.session[INVITED_EMAIL_KEY] == "dora@example.com"
    _made, url = make_link(actor=Actor.of_member(alice), invitation=Invitation.objects.get())
    assert Client().get(mailed).status_code == 404
    other = Client()
    assert other.get(urlsplit(url).path).status_code == 200
    assert INVITED_EMAIL_KEY not in other.session
    assert send_pending_invitations() == 0


def test_the_page_lists_sends_revokes_and_shows_a_link_once(
    alice: Member, client_of: ClientOf, outbox: Outbox
) -> None:
    people = ["dora@example.com", "eve@example.com", "old@example.com"]
    invite_members(actor=Actor.of_member(alice), way="email", addresses=people)
    Invitation.objects.filter(address="old@example.com").update(expires_at=utc_now())
    client = client_of(alice)
    words = client.get(PAGE).content.decode()
    assert all(address in words for address in people)
    assert "expired" in words
    ids = list(Invitation.objects.order_by("pk").values_list("pk", flat=True))
    done = client.post(PAGE, {"invitation": ids[1:], "action": "resend"}, follow=True)
    assert "2 invitations sent again" in done.content.decode()
    assert not Invitation.objects.filter(expires_at__lte=utc_now()).exists()
    shown = client.post(f"{PAGE}{ids[0]}/link/").content.decode()
    assert "/invitations/" in shown
    assert Invitation.objects.get(pk=ids[0]).link_shown
    assert send_pending_invitations() == 2
    client.post(f"{PAGE}{ids[0]}/revoke/")
    client.post(f"{PAGE}{ids[1]}/resend/")
    assert Invitation.objects.get(pk=ids[0]).status == "revoked"
    answered = client.get(f"{PAGE}?state=answered").content.decode()
    assert "dora@example.com" in answered
    assert "eve@example.com" not in answered


def test_the_page_is_for_administrators_of_the_company(
    alice: Member, bob: Member, fiona: Member, charlie: Member, client_of: ClientOf, invite: Invite
) -> None:
    invite(alice, "dora@example.com")
    made = Invitation.objects.get()
    for member in (bob, fiona):
        client = client_of(member)
        assert client.get(PAGE).status_code == 403
        assert client.post(f"{PAGE}{made.pk}/revoke/").status_code == 403
    stranger = client_of(charlie)
    assert "dora@example.com" not in stranger.get(PAGE).content.decode()
    for action in ("resend", "revoke", "link"):
        assert stranger.post(f"{PAGE}{made.pk}/{action}/").status_code == 404
    for bad in ("x", "9" * 40, "-1"):
        assert stranger.post(PAGE, {"invitation": [bad], "action": "revoke"}).status_code == 404
    made.refresh_from_db()
    assert (made.status, made.link_shown) == ("pending", False)


def test_the_page_takes_as_many_queries_for_one_invitation_as_for_forty(
    alice: Member, client_of: ClientOf, django_assert_max_num_queries: Callable[..., object]
) -> None:
    people = [f"p{number}@example.com" for number in range(40)]
    invite_members(actor=Actor.of_member(alice), way="email", addresses=people)
    client = client_of(alice)
    client.get(PAGE)
    with django_assert_max_num_queries(9):  # type: ignore[attr-defined]
        assert "p39@example.com" in client.get(PAGE).content.decode()
