"""Notices and their mails, the audit, a company's standing, and the guard of pages."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from smtplib import SMTPServerDisconnected

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import get_template
from django.test import Client
from pytest_django import Settings

from billing.closing import close_company
from members.actors import Actor
from members.audit import record
from members.errors import CompanyNotActive
from members.mailing import send_notice, send_pending_notices
from members.models import AuditEntry, Company, Member, Notice, User
from members.notices import NoticeKind, tell_administrators, tell_member
from members.standing import freeze_company, require_active_company, unfreeze_company
from skypemgr.lib.errors import Conflict, NotAllowed
from skypemgr.lib.outbox import Message
from skypemgr.lib.periods import utc_now
from tests.conftest import PASSWORD, ClientOf

Outbox = Callable[[], list[Message]]
KIND = NoticeKind.INVITATION_DECLINED


class BrokenBackend(BaseEmailBackend):
    """A mail server that hangs up."""

    def send_messages(self, email_messages: object) -> int:
        raise SMTPServerDisconnected("gone")


def test_a_notice_that_cannot_be_written_does_not_keep_the_others_waiting(
    alice: Member, outbox: Outbox
) -> None:
    broken = {"company": alice.company, "member": alice, "kind": "nothing_of_the_kind"}
    Notice.objects.create(**broken, key="broken")
    tell(alice.company)
    assert send_pending_notices() == 1
    assert len(outbox()) == 1


@pytest.mark.parametrize("kind", NoticeKind.values)
@pytest.mark.parametrize("part", ["subject.txt", "txt", "html"])
def test_every_kind_of_notice_has_its_mail(kind: str, part: str) -> None:
    get_template(f"emails/{kind}.{part}")


def tell(company: Company) -> None:
    tell_administrators(company, KIND, key="k", address="dora@example.com", url="/members/")


def test_active_administrators_are_told_once(alice: Member, bob: Member, fiona: Member) -> None:
    tell(alice.company)
    tell(alice.company)
    assert [notice.member for notice in Notice.objects.all()] == [alice]


def test_a_notice_is_mailed_once(alice: Member, outbox: Outbox) -> None:
    tell(alice.company)
    notice = Notice.objects.get()
    assert send_notice(notice.pk) is True
    assert send_notice(notice.pk) is False
    assert send_pending_notices(now=utc_now() + timedelta(hours=1)) == 0
    (mail,) = outbox()
    assert mail.to == ["alice@example.com"]
    assert "dora@example.com has declined the invitation" in mail.subject
    assert "/members/" in mail.text


def test_two_jobs_do_not_mail_the_same_notice(alice: Member) -> None:
    tell(alice.company)
    now = utc_now()
    Notice.objects.update(mail_claimed_at=now)
    assert send_notice(Notice.objects.get().pk, now=now + timedelta(minutes=9)) is False
    assert send_notice(Notice.objects.get().pk, now=now + timedelta(minutes=11)) is True


def test_a_mail_server_that_is_down_only_delays(
    alice: Member, settings: Settings, outbox: Outbox
) -> None:
    tell(alice.company)
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.members.test_notices.BrokenBackend"
    assert send_pending_notices() == 0
    settings.EMAIL_BACKEND = backend
    assert send_pending_notices() == 0
    assert send_pending_notices(now=utc_now() + timedelta(minutes=11)) == 1


@pytest.mark.parametrize("status", [Member.Status.REMOVED, Member.Status.SUSPENDED])
def test_whoever_is_not_active_gets_no_mail(alice: Member, outbox: Outbox, status: str) -> None:
    tell(alice.company)
    Member.objects.update(status=status)
    assert send_pending_notices() == 0
    assert outbox() == []


def test_a_notice_is_in_the_language_of_its_reader(alice: Member, outbox: Outbox) -> None:
    User.objects.update(language="fr")
    tell_member(alice, KIND, key="k", address="x", url="https://elsewhere.example/")
    send_pending_notices()
    assert 'lang="fr"' in outbox()[0].html
    assert "https://elsewhere.example/" in outbox()[0].text


def test_the_audit_keeps_amounts_as_text(alice: Member) -> None:
    record(
        Actor.of_member(alice), "allocate", subject="member:1", amount=Decimal("1.50"), ids=[1, 2]
    )
    entry = AuditEntry.objects.get(verb="allocate")
    assert (entry.member, entry.user) == (alice, alice.user)
    assert entry.data == {"amount": "1.50", "ids": [1, 2]}


def test_only_the_operator_changes_a_companys_standing(alice: Member) -> None:
    for verb in (freeze_company, unfreeze_company):
        with pytest.raises(NotAllowed):
            verb(actor=Actor.of_member(alice))
    alice.company.refresh_from_db()
    assert alice.company.state == "active"


def test_a_company_is_frozen_unfrozen_and_closed_for_good(alice: Member) -> None:
    system = Actor.system(alice.company)
    with pytest.raises(CompanyNotActive) as refusal:
        require_active_company(freeze_company(actor=system))
    assert refusal.value.code == "company_frozen"
    with pytest.raises(Conflict):
        freeze_company(actor=system)
    require_active_company(unfreeze_company(actor=system))
    with pytest.raises(CompanyNotActive) as refusal:
        require_active_company(close_company(actor=system))
    assert refusal.value.code == "company_closed"
    with pytest.raises(Conflict):
        unfreeze_company(actor=system)
    verbs = AuditEntry.objects.filter(member=None).values_list("verb", flat=True)
    assert list(verbs) == ["freeze_company", "unfreeze_company", "close_company"]


def test_the_operator_freezes_from_the_desk(alice: Member) -> None:
    root = User.objects.create_superuser("root", "", PASSWORD)
    client = Client()
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    chosen = {"action": "freeze", "_selected_action": [alice.company_id]}
    assert client.post("/admin/members/company/", chosen).status_code == 302
    alice.company.refresh_from_db()
    assert alice.company.state == "frozen"
    assert AuditEntry.objects.get(verb="freeze_company").user == root


def test_a_clerk_who_may_only_look_cannot_freeze(alice: Member) -> None:
    clerk = User.objects.create_user("clerk", "", PASSWORD, is_staff=True)
    client = Client()
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    chosen = {"action": "freeze", "_selected_action": [alice.company_id]}
    assert client.post("/admin/members/company/", chosen).status_code == 403
    alice.company.refresh_from_db()
    assert alice.company.state == "active"


def test_pages_lead_strangers_to_the_sign_in(db: None) -> None:
    answer = Client().get("/members/create/?a=1")
    assert answer["Location"] == "/accounts/login/?next=/members/create/%3Fa%3D1"
    fragment = Client().get("/members/create/", headers={"hx-request": "true"})
    assert fragment["HX-Redirect"] == "/accounts/login/?next=/members/create/"


def test_pages_lead_people_without_a_company_to_naming_one(
    bob: Member, client_of: ClientOf
) -> None:
    bob.status = Member.Status.LEFT
    bob.save(update_fields=["status"])
    assert client_of(bob).get("/members/create/")["Location"] == "/company/new/"
