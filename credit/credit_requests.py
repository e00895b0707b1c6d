"""Members ask for credit, administrators answer.

Its one rule: a request is answered once. The row is locked first, and the key of an approval's
allocation derives from it, so that two clicks at the same moment allocate once.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from credit.allocation import Recipients, allocate
from credit.errors import RequestAlreadyOpen, RequestAnswered, RequestIncomplete
from credit.ledger import atomically, violated_constraint
from credit.models import CreditRequest
from credit.money import checked_amount, require_active
from credit.requests import OutsideKey, answer_once
from members.actors import Actor
from members.audit import record
from members.models import Member
from members.models.people import Role
from members.notices import NoticeKind, tell_administrators, tell_member
from members.standing import hold_active_company
from skypemgr.lib import live
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.periods import utc_now

Status = CreditRequest.Status
TEXT_LIMIT = 500


def request_credit(
    *, actor: Actor, amount: Decimal, reason: str, now: datetime | None = None
) -> CreditRequest:
    """The acting member's request waits for an answer and the administrators are told.

    Raises NotAllowed, CompanyNotActive, InvalidAmount, RequestIncomplete without a reason,
    RequestAlreadyOpen while another waits.
    """
    actor.require(*Role.values)
    member = actor.member
    if member is None:
        raise NotAllowed(_("Only a member can ask for credit."))
    require_active(actor.company)
    wanted = checked_amount(amount)
    words = _words(reason, "reason")
    if not words:
        raise RequestIncomplete(_("Say what you need the credit for."), field="reason")
    try:
        with transaction.atomic():
            # Whoever removes the member or closes the company waits, or was waited for.
            Member.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
            hold_active_company(actor.company.pk)
            made = CreditRequest.objects.create(
                company=actor.company,
                member=member,
                amount=wanted,
                reason=words,
                created_at=now or utc_now(),
            )
            record(actor, "request_credit", subject=_subject(made), amount=wanted)
            tell_administrators(
                actor.company,
                NoticeKind.CREDIT_REQUESTED,
                key=f"credit_request:{made.pk}",
                name=member.name,
                amount=str(wanted),
                currency=actor.company.currency,
                reason=words,
                url=f"{reverse('requests')}#request-{made.pk}",
            )
            live.bump(actor.company.pk)
    except IntegrityError as error:
        if violated_constraint(error) != "credit_request_open_once":
            raise
        raise RequestAlreadyOpen(
            _("You have already asked for credit. Withdraw that request to ask for another amount.")
        ) from error
    return made


def approve_request(
    *,
    actor: Actor,
    request_id: int,
    amount: Decimal | None = None,
    outside: OutsideKey | None = None,
    now: datetime | None = None,
) -> CreditRequest:
    """The request is approved and its member has received the amount, by default what was asked.

    ``outside`` is a program's key: repeated, it finds the approval. Raises NotAllowed, NotFound,
    RequestAnswered, and whatever ``allocate`` refuses.
    """
    actor.require_administrator()
    granted = None if amount is None else checked_amount(amount)
    instant = now or utc_now()

    def approve() -> dict[str, Any]:
        wish = _lock_open(actor, request_id)
        done = allocate(
            actor=actor,
            amount=wish.amount if granted is None else granted,
            recipients=Recipients(member_ids=(wish.member_id,)),
            request=OutsideKey(f"credit_request:{wish.pk}", ""),
            now=instant,
        )
        wish.granted = done.amount
        _close(wish, Status.APPROVED, actor, instant)
        record(
            actor,
            "approve_request",
            subject=_subject(wish),
            amount=wish.amount,
            granted=done.amount,
        )
        _tell_member(wish, NoticeKind.CREDIT_REQUEST_APPROVED, granted=str(done.amount))
        return {"id": wish.pk}

    def work() -> None:
        if outside is None:
            approve()
        else:
            answer_once(actor.company.pk, outside, lambda _row: approve())

    atomically(work)
    return find_request(actor, request_id)


def decline_request(
    *, actor: Actor, request_id: int, answer: str = "", now: datetime | None = None
) -> CreditRequest:
    """The request is declined, and the member is told with the administrator's word.

    Raises NotAllowed, NotFound, RequestAnswered.
    """
    actor.require_administrator()
    with transaction.atomic():
        wish = _lock_open(actor, request_id)
        wish.answer = _words(answer, "answer")
        _close(wish, Status.DECLINED, actor, now or utc_now())
        record(actor, "decline_request", subject=_subject(wish), amount=wish.amount)
        _tell_member(wish, NoticeKind.CREDIT_REQUEST_DECLINED, answer=wish.answer)
        live.bump(actor.company.pk)
    return wish


def withdraw_request(
    *, actor: Actor, request_id: int, now: datetime | None = None
) -> CreditRequest:
    """The acting member's own request waits no longer. NotFound for another's, RequestAnswered."""
    member = actor.member
    if member is None:
        raise _unknown()
    with transaction.atomic():
        wish = _lock_open(actor, request_id, member=member)
        _close(wish, Status.WITHDRAWN, actor, now or utc_now())
        record(actor, "withdraw_request", subject=_subject(wish), amount=wish.amount)
        live.bump(actor.company.pk)
    return wish


def hold_requests(company_id: int, member_ids: Collection[int] | None = None) -> None:
    """The open requests of these members (by default of everybody) are locked, in order of id: who
    answers one at this moment was waited for.
    """
    wishes = CreditRequest.objects.filter(company=company_id, status=Status.OPEN)
    if member_ids is not None:
        wishes = wishes.filter(member_id__in=member_ids)
    list(wishes.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def end_requests(
    actor: Actor,
    member_ids: Collection[int] | None = None,
    *,
    is_withdrawn: bool = False,
    now: datetime,
) -> int:
    """Inside the verb's transaction: these members' (or everybody's) open requests wait no longer,
    withdrawn or declined; how many. Nobody is told: the verb tells more.
    """
    wishes = CreditRequest.objects.filter(company=actor.company, status=Status.OPEN)
    if member_ids is not None:
        wishes = wishes.filter(member_id__in=member_ids)
    # One that came since and is being answered at this moment is left to its answer.
    open_ids = list(
        wishes.order_by("pk")
        .select_for_update(no_key=True, skip_locked=True)
        .values_list("pk", flat=True)
    )
    status = Status.WITHDRAWN if is_withdrawn else Status.DECLINED
    return CreditRequest.objects.filter(pk__in=open_ids).update(
        status=status, answered_at=now, answered_by=actor.member
    )


def find_request(actor: Actor, pk: int) -> CreditRequest:
    """The request of the actor's company; anybody else's is NotFound."""
    found = (
        CreditRequest.objects.select_related("member", "answered_by")
        .filter(company=actor.company, pk=pk)
        .first()
    )
    if found is None:
        raise _unknown()
    return found


def open_request_of(member: Member) -> CreditRequest | None:
    """The member's request that waits for an answer, if there is one. One query."""
    return CreditRequest.objects.filter(
        company=member.company, member=member, status=Status.OPEN
    ).first()


def _lock_open(actor: Actor, pk: int, *, member: Member | None = None) -> CreditRequest:
    rows = CreditRequest.objects.select_for_update(no_key=True, of=("self",)).filter(
        company=actor.company, pk=pk
    )
    if member is not None:
        rows = rows.filter(member=member)
    wish = rows.select_related("member__company", "answered_by").first()
    if wish is None:
        raise _unknown()
    if not wish.is_open:
        raise RequestAnswered(_tell_answered(wish), request_status=wish.status)
    return wish


def _tell_answered(wish: CreditRequest) -> str:
    name = wish.answered_by.name if wish.answered_by else ""
    if wish.status == Status.APPROVED:
        words = _("%(name)s has already approved this request. Nothing was added a second time.")
    elif wish.status == Status.DECLINED:
        words = _("%(name)s has already declined this request.")
    else:
        words = _("%(name)s has withdrawn this request.")
        name = wish.member.name
    return words % {"name": name}


def _close(wish: CreditRequest, status: str, actor: Actor, at: datetime) -> None:
    wish.status, wish.answered_at, wish.answered_by = status, at, actor.member
    wish.save(update_fields=["status", "granted", "answer", "answered_at", "answered_by"])


def _tell_member(wish: CreditRequest, kind: NoticeKind, **data: str) -> None:
    tell_member(
        wish.member,
        kind,
        key=f"credit_request:{wish.pk}:{wish.status}",
        amount=str(wish.amount),
        currency=wish.member.company.currency,
        administrator=wish.answered_by.name if wish.answered_by else "",
        url=reverse("me"),
        **data,
    )


def _words(text: str, field: str) -> str:
    """Without line breaks and invisible signs, never longer than what can be kept."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    words = " ".join(plain.split())
    if len(words) > TEXT_LIMIT:
        raise RequestIncomplete(_("This is too long."), field=field)
    return words


def _subject(wish: CreditRequest) -> str:
    return f"credit_request:{wish.pk}"


def _unknown() -> NotFound:
    return NotFound(_("There is no such request in your company."), code="unknown_request")
