"""Invitations: verdicts, sending, accepting, declining."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.actors import Actor
from members.delivery import send_invitation, send_pending_invitations
from members.errors import (
    AlreadyInCompany,
    CompanyNotActive,
    InvalidField,
    InvitationForSomebodyElse,
    InvitationGone,
    InvitationNotFound,
)
from members.invitation_upkeep import revoke_invitation
from members.invitations import (
    accept_invitation,
    accept_waiting_invitation,
    decline_invitation,
    decline_waiting_invitation,
    invite_members,
    waiting_invitations,
)
from members.lists import create_list
from members.models import AuditEntry, Company, Invitation, Member, Notice
from members.standing import freeze_company
from members.verdicts import judge_entries, split_entries
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.outbox import Message
from skypemgr.lib.periods import utc_now
from tests.conftest import make_company, make_user
from tests.members.conftest import Invite

Outbox = Callable[[], list[Message]]


def token_of(path: str) -> str:
    return path.removeprefix("/invitations/").removesuffix("/")


def codes(company: Company, way: str, text: str) -> list[str]:
    verdicts = judge_entries(company=company, way=way, entries=split_entries(text))
    return [verdict.code.value for verdict in verdicts]


def test_each_entry_gets_its_verdict(alice: Member, bob: Member, charlie: Member) -> None:
    actor = Actor.of_member(alice)
    invite_members(actor=actor, way="email", addresses=["eve@example.com"])
    text = "new@example.com, nonsense; BOB@example.com\neve@example.com\nNew@example.com,,"
    assert codes(alice.company, "email", text) == [
        "ok",
        "malformed_email",
        "already_member",
        "already_invited",
        "twice",
    ]


def test_a_verdict_never_tells_who_belongs_elsewhere(alice: Member, charlie: Member) -> None:
    assert codes(alice.company, "email", "charlie@example.com, nobody@example.com") == ["ok", "ok"]
    assert codes(alice.company, "username", "charlie, nobody, alice, -x") == [
        "ok",
        "unknown_username",
        "already_member",
        "malformed_username",
    ]


def test_an_address_copied_with_its_name_keeps_the_name(alice: Member) -> None:
    entries = split_entries("Jeanne Petit <Jeanne@Example.com>")
    (verdict,) = judge_entries(company=alice.company, way="email", entries=entries)
    assert (verdict.address, verdict.name) == ("jeanne@example.com", "Jeanne Petit")


def test_the_number_of_queries_does_not_depend_on_the_number_of_entries(alice: Member) -> None:
    with CaptureQueriesContext(connection) as few:
        codes(alice.company, "email", "a@example.com")
    with CaptureQueriesContext(connection) as many:
        codes(alice.company, "email", ",".join(f"a{n}@example.com" for n in range(300)))
    assert len(many) == len(few)


def test_inviting_mails_a_link_whose_secret_is_not_kept(
    alice: Member, invite: Invite, outbox: Outbox
) -> None:
    path = invite(alice, "new@example.com")
    token = token_of(path)
    assert re.fullmatch(r"[\w-]{43}", token)
    invitation = Invitation.objects.get()
    assert invitation.token_hash != token
    assert token not in str(Invitation.objects.values().get())
    (mail,) = outbox()
    assert mail.to == ["new@example.com"]
    assert "Acme" in mail.subject
    assert token in mail.html
    assert invitation.sent_at is not None


def test_an_invitation_is_sent_once(alice: Member, invite: Invite, outbox: Outbox) -> None:
    invite(alice, "new@example.com")
    assert send_invitation(Invitation.objects.get().pk) is False
    assert send_pending_invitations(now=utc_now() + timedelta(days=1)) == 0
    assert len(outbox()) == 1


def test_an_invitation_whose_message_got_lost_is_sent_by_the_sweep(alice: Member) -> None:
    now = utc_now()
    actor = Actor.of_member(alice)
    invite_members(actor=actor, way="email", addresses=["new@example.com"])
    Invitation.objects.update(claimed_at=now)
    assert send_pending_invitations(now=now + timedelta(minutes=9)) == 0
    assert send_pending_invitations(now=now + timedelta(minutes=11)) == 1


def test_the_mail_is_in_the_language_of_the_invited_else_of_the_company(
    alice: Member, charlie: Member, invite: Invite, outbox: Outbox
) -> None:
    charlie.user.language = "fr"
    charlie.user.save(update_fields=["language"])
    invite(alice, "charlie@example.com")
    assert 'lang="fr"' in outbox()[0].html
    invite(alice, "new@example.com")
    assert 'lang="en"' in outbox()[0].html
    Company.objects.update(language="fr")
    alice.company.refresh_from_db()
    invite(alice, "autre@example.com")
    assert 'lang="fr"' in outbox()[0].html


def test_an_invitation_to_a_user_name_goes_to_that_logins_address(
    alice: Member, invite: Invite, outbox: Outbox
) -> None:
    make_user("dora")
    invite(alice, "dora")
    assert outbox()[0].to == ["dora@example.com"]


def test_an_invitation_to_a_user_name_without_address_goes_to_the_phone(
    alice: Member, invite: Invite, outbox: Outbox
) -> None:
    dora = make_user("dora")
    EmailAddress.objects.filter(user=dora).delete()
    dora.email, dora.phone, dora.phone_verified = "", "+33612345678", True
    dora.save()
    invite(alice, "dora")
    (text,) = outbox()
    assert (text.kind, text.to) == ("sms", ["+33612345678"])


def test_accepting_makes_a_member_in_the_list_and_tells_administrators(
    alice: Member, invite: Invite
) -> None:
    sales = create_list(actor=Actor.of_member(alice), name="Sales")
    token = token_of(invite(alice, "dora@example.com", list_id=sales.pk, role="finance"))
    dora = make_user("dora")
    member = accept_invitation(token=token, user=dora)
    assert (member.company, member.list, member.role) == (alice.company, sales, "finance")
    invitation = Invitation.objects.get()
    assert (invitation.status, invitation.member) == ("accepted", member)
    notice = Notice.objects.get(kind="invitation_accepted")
    assert (notice.member, notice.data["name"]) == (alice, "Dora")
    assert AuditEntry.objects.filter(verb="accept_invitation", member=member).count() == 1


def test_a_list_archived_meanwhile_is_left_out(alice: Member, invite: Invite) -> None:
    sales = create_list(actor=Actor.of_member(alice), name="Sales")
    token = token_of(invite(alice, "dora@example.com", list_id=sales.pk))
    sales.archived_at = utc_now()
    sales.save()
    assert accept_invitation(token=token, user=make_user("dora")).list is None


def test_a_link_works_once(alice: Member, invite: Invite) -> None:
    token = token_of(invite(alice, "dora@example.com"))
    dora = make_user("dora")
    accept_invitation(token=token, user=dora)
    with pytest.raises(InvitationGone) as refusal:
        accept_invitation(token=token, user=dora)
    assert (refusal.value.code, refusal.value.status) == ("invitation_accepted", 410)
    assert Member.objects.filter(user=dora).count() == 1


def test_a_link_works_until_thirty_days_have_passed(alice: Member, invite: Invite) -> None:
    token = token_of(invite(alice, "dora@example.com"))
    dora = make_user("dora")
    over = Invitation.objects.get().expires_at
    with pytest.raises(InvitationGone, match="30 days"):
        accept_invitation(token=token, user=dora, now=over)
    assert not Member.objects.filter(user=dora).exists()
    member = accept_invitation(token=token, user=dora, now=over - timedelta(seconds=1))
    assert member.company == alice.company


def test_somebody_whose_invitation_expired_can_be_invited_again(
    alice: Member, invite: Invite
) -> None:
    first = token_of(invite(alice, "dora@example.com"))
    Invitation.objects.update(expires_at=utc_now() - timedelta(days=1))
    second = token_of(invite(alice, "dora@example.com"))
    dora = make_user("dora")
    with pytest.raises(InvitationNotFound):
        accept_invitation(token=first, user=dora)
    assert accept_invitation(token=second, user=dora).company == alice.company


def test_a_revoked_or_forged_link_opens_nothing(alice: Member, invite: Invite) -> None:
    token = token_of(invite(alice, "dora@example.com"))
    dora = make_user("dora")
    for forged in ("", "x", token[:-1], token + "A", token.swapcase()):
        with pytest.raises(InvitationNotFound):
            accept_invitation(token=forged, user=dora)
    revoke_invitation(actor=Actor.of_member(alice), invitation=Invitation.objects.get())
    with pytest.raises(InvitationGone, match="withdrawn"):
        accept_invitation(token=token, user=dora)
    assert not Member.objects.filter(user=dora).exists()


def test_a_link_is_useless_to_whoever_does_not_own_the_address(
    alice: Member, invite: Invite
) -> None:
    token = token_of(invite(alice, "dora@example.com"))
    thief = make_user("thief")
    with pytest.raises(InvitationForSomebodyElse):
        accept_invitation(token=token, user=thief)
    EmailAddress.objects.create(user=thief, email="dora@example.com", verified=False)
    with pytest.raises(InvitationForSomebodyElse):
        accept_invitation(token=token, user=thief)
    assert not Member.objects.filter(user=thief).exists()
    assert Invitation.objects.get().status == "pending"


def test_a_member_of_another_company_must_leave_it_first(
    alice: Member, charlie: Member, invite: Invite
) -> None:
    token = token_of(invite(alice, "charlie@example.com"))
    with pytest.raises(AlreadyInCompany, match="Leave it first"):
        accept_invitation(token=token, user=charlie.user)
    assert Invitation.objects.get().status == "pending"


def test_nobody_joins_a_frozen_company(alice: Member, invite: Invite) -> None:
    token = token_of(invite(alice, "dora@example.com"))
    freeze_company(actor=Actor.system(alice.company))
    with pytest.raises(CompanyNotActive):
        accept_invitation(token=token, user=make_user("dora"))


def test_waiting_invitations_are_found_by_what_the_login_owns(
    alice: Member, charlie: Member, invite: Invite
) -> None:
    invite(alice, "dora@example.com")
    dora = make_user("dora")
    invite(charlie, "dora")
    assert [found.company.name for found in waiting_invitations(dora)] == ["Acme", "Other"]
    assert not waiting_invitations(make_user("eve")).exists()
    first, second = waiting_invitations(dora)
    with pytest.raises(InvitationForSomebodyElse):
        accept_waiting_invitation(pk=first.pk, user=make_user("thief"))
    with pytest.raises(InvitationForSomebodyElse):
        decline_waiting_invitation(pk=first.pk, user=make_user("thief2"))
    decline_waiting_invitation(pk=second.pk, user=dora)
    assert accept_waiting_invitation(pk=first.pk, user=dora).company == alice.company


def test_declining_tells_the_administrators_once(alice: Member, invite: Invite) -> None:
    token = token_of(invite(alice, "dora@example.com"))
    decline_invitation(token=token)
    with pytest.raises(InvitationGone, match="declined"):
        decline_invitation(token=token)
    notice = Notice.objects.get(kind="invitation_declined")
    assert notice.data["address"] == "dora@example.com"
    assert Invitation.objects.get().status == "declined"


def test_only_administrators_invite(alice: Member, bob: Member, fiona: Member) -> None:
    for member in (bob, fiona):
        with pytest.raises(NotAllowed):
            invite_members(
                actor=Actor.of_member(member), way="email", addresses=["new@example.com"]
            )
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"addresses": []}, "addresses"),
        ({"addresses": ["nonsense"]}, "addresses"),
        ({"addresses": [f"a{n}@example.com" for n in range(501)]}, "addresses"),
        ({"way": "pigeon"}, "way"),
        ({"role": "owner"}, "role"),
        ({"language": "de"}, "language"),
    ],
)
def test_a_wrong_wish_is_refused_and_nobody_is_invited(
    alice: Member, wish: dict[str, object], field: str
) -> None:
    given = {"way": "email", "addresses": ["new@example.com"], **wish}
    with pytest.raises(InvalidField) as refusal:
        invite_members(actor=Actor.of_member(alice), **given)  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert not Invitation.objects.exists()


def test_another_companys_list_is_unknown(alice: Member, charlie: Member) -> None:
    theirs = create_list(actor=Actor.of_member(charlie), name="Sales")
    with pytest.raises(NotFound):
        invite_members(
            actor=Actor.of_member(alice),
            way="email",
            addresses=["new@example.com"],
            list_id=theirs.pk,
        )
    assert not Invitation.objects.exists()


def test_one_decision_is_one_audit_entry(alice: Member) -> None:
    invite_members(
        actor=Actor.of_member(alice),
        way="email",
        addresses=["a@example.com", "b@example.com", "nonsense"],
    )
    entry = AuditEntry.objects.get(verb="invite_members")
    assert (entry.data["invited"], entry.data["refused"]) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_a_link_opened_twice_at_once_makes_one_member(invite: Invite) -> None:
    alice = make_company("Acme", "alice")
    token = token_of(invite(alice, "dora@example.com"))
    dora = make_user("dora")
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def accept() -> None:
        start.wait(timeout=10)
        try:
            outcomes.append(str(accept_invitation(token=token, user=dora)))
        except InvitationGone as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=accept) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["Dora", "invitation_accepted"]
    assert Member.objects.filter(user=dora).count() == 1
