"""What people are told. Its one rule: a fact is told to a member once, in the fact's transaction.

A notice is a row; the mail that carries it is sent by a task, from the templates
``emails/<kind>.subject.txt``, ``.txt`` and ``.html`` of the app that raises the kind.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models

from members.models import Company, Member, Notice
from members.models.people import Role
from skypemgr.lib.wake import wake


class NoticeKind(models.TextChoices):
    """Every kind of notice there is."""

    RECHARGE_BLOCKED = "recharge_blocked"
    PURCHASE_SUCCEEDED = "purchase_succeeded"
    PURCHASE_DECLINED = "purchase_declined"
    PURCHASE_TRANSFER = "purchase_transfer"
    PURCHASE_TRANSFER_REMINDER = "purchase_transfer_reminder"
    AUTO_PURCHASE_DECLINED = "auto_purchase_declined"
    AUTO_PURCHASE_PAUSED = "auto_purchase_paused"
    AUTHENTICATION_NEEDED = "authentication_needed"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_DECLINED = "invitation_declined"
    WELCOME = "welcome"
    CREDIT_REQUESTED = "credit_requested"
    CREDIT_REQUEST_APPROVED = "credit_request_approved"
    CREDIT_REQUEST_DECLINED = "credit_request_declined"
    MEMBER_LEFT = "member_left"
    MEMBER_REMOVED = "member_removed"
    COMPANY_CLOSED = "company_closed"
    PAYER_GONE = "payer_gone"
    PAYMENT_METHOD_GONE = "payment_method_gone"
    PAYMENT_METHOD_EXPIRES = "payment_method_expires"
    LOW_BALANCE = "low_balance"
    RENEWALS_SOON = "renewals_soon"
    RENEWALS_UNPAID = "renewals_unpaid"
    PLAN_DISCONTINUED = "plan_discontinued"
    FEATURES_ENDED = "features_ended"
    EXPORT_READY = "export_ready"


def tell_administrators(company: Company, kind: NoticeKind, *, key: str, **data: Any) -> None:
    """Every active administrator has the notice, once for this key."""
    administrators = Member.objects.filter(
        company=company, role=Role.ADMINISTRATOR, status=Member.Status.ACTIVE
    )
    _tell(company, administrators.values_list("pk", flat=True), kind, key, data)


def tell_member(member: Member, kind: NoticeKind, *, key: str, **data: Any) -> None:
    """The member has the notice, once for this key."""
    _tell(member.company, [member.pk], kind, key, data)


def tell_members(
    company: Company, member_ids: Iterable[int], kind: NoticeKind, *, key: str, **data: Any
) -> None:
    """The named members of the company have the notice, once for this key."""
    _tell(company, member_ids, kind, key, data)


def count_as_told(company: Company, *, now: datetime) -> None:
    """No mail goes out any more about what the company's notices told until now."""
    Notice.objects.filter(company=company, mailed_at=None).update(mailed_at=now)


def _tell(
    company: Company, member_ids: Iterable[int], kind: NoticeKind, key: str, data: dict[str, Any]
) -> None:
    wanted = list(member_ids)
    Notice.objects.bulk_create(
        [Notice(company=company, member_id=pk, kind=kind, key=key, data=data) for pk in wanted],
        ignore_conflicts=True,
    )
    waiting = Notice.objects.filter(
        company=company, member_id__in=wanted, key=key, mailed_at=None
    ).values_list("pk", flat=True)
    for pk in waiting:
        wake("notice.created", pk)
