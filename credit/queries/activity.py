"""What happened about one member: decisions, invitations, rules, requests, credit, sign-in.

Its one rule: no calls at all, and finance reads only what concerns credit and the member's status.
Each source gives one page's worth below the cursor; merged by time, each page costs the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from credit.models import CreditRequest, RechargeOutcome, Transfer
from credit.models.recharge import Outcome
from members.audit_log import tell_entry
from members.audit_words import list_names
from members.models import AuditEntry, Invitation, Member
from skypemgr.lib.errors import ProductError
from skypemgr.lib.formats import format_money

PAGE_SIZE = 50
# What finance may know of the decisions about a member.
CREDIT_VERBS = (
    "save_rules",
    "switch_off_rule",
    "suspend_member",
    "suspend_members",
    "reactivate_member",
    "reactivate_members",
    "remove_member",
    "remove_members",
    "leave_company",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CURSOR = re.compile(r"(\d{1,17})-(\d{1,2})-(\d{1,18})", re.ASCII)

# The order of events of the same instant: later ones stand above.
JOINED, INVITED, ASKED, DECIDED, ANSWERED, RECEIVED, RULE, ENDED, SIGNED_IN = range(9)
NAMES = {
    JOINED: "joined",
    INVITED: "invitation",
    ASKED: "request",
    DECIDED: "decision",
    ANSWERED: "answer",
    RECEIVED: "allocation",
    RULE: "rule",
    ENDED: "ended",
    SIGNED_IN: "sign_in",
}
ICONS = {
    JOINED: "user-plus",
    INVITED: "mail",
    ASKED: "message",
    DECIDED: "pencil",
    ANSWERED: "message",
    RECEIVED: "coins",
    RULE: "refresh",
    ENDED: "user-minus",
    SIGNED_IN: "login",
}


class InvalidActivityCursor(ProductError):
    """The cursor is not one that a page gave."""

    code = "invalid_cursor"
    status = 400


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; ``who`` is empty if it happened by itself."""

    source: int
    id: int
    at: datetime
    title: str | Promise
    text: str = ""
    who: str = ""
    by_token: str = ""

    @property
    def kind(self) -> str:
        """The stable name of what it is."""
        return NAMES[self.source]

    @property
    def icon(self) -> str:
        """The icon beside it."""
        return ICONS[self.source]

    @property
    def place(self) -> tuple[datetime, int, int]:
        """Where it stands in time."""
        return self.at, self.source, self.id


Place = tuple[datetime, int, int]


def read_activity(
    member: Member, *, viewer_administers: bool, cursor: str = "", limit: int = PAGE_SIZE
) -> tuple[list[Event], str]:
    """A page of what happened, newest first, and the cursor of the next one (empty: no more).

    Ten queries at most. InvalidActivityCursor for a cursor not made here.
    """
    before = _read_cursor(cursor) if cursor else None
    found: list[Event] = []
    for source, rows, at in _sources(member, viewer_administers):
        wanted = rows if before is None else rows.filter(_below(source, before, at))
        shown = wanted.annotate(happened_at=F(at)).order_by("-happened_at", "-pk")[: limit + 1]
        rows_shown = list(shown)
        lists = list_names(member.company, rows_shown) if source == DECIDED else {}
        found += [_tell(source, row, member, lists) for row in rows_shown]
    found += [
        event
        for event in _of_member(member, viewer_administers)
        if before is None or event.place < before
    ]
    found.sort(key=lambda event: event.place, reverse=True)
    page = found[:limit]
    return page, _write_cursor(page[-1]) if len(found) > limit else ""


def _sources(member: Member, viewer_administers: bool) -> Iterator[tuple[int, QuerySet[Any], str]]:
    company = member.company_id
    entries = AuditEntry.objects.filter(company=company)
    if not viewer_administers:
        entries = entries.filter(verb__in=CREDIT_VERBS)
    entries = entries.select_related("member", "user", "token")
    yield DECIDED, entries.filter(subject=f"member:{member.pk}"), "created_at"
    # Found by the member alone: an entry is about one member by its subject or about several so.
    yield DECIDED, entries.filter(about__member=member), "created_at"
    outcomes = RechargeOutcome.objects.filter(rule__member=member).exclude(outcome=Outcome.NOT_DUE)
    yield RULE, outcomes, "at"
    received = Transfer.objects.filter(
        destination__member=member, kind=Transfer.Kind.ALLOCATION, company=company
    )
    yield RECEIVED, received.select_related("actor"), "created_at"
    if not viewer_administers:
        return
    invitations = Invitation.objects.filter(company=company, member=member)
    yield INVITED, invitations.select_related("invited_by"), "created_at"
    wishes = CreditRequest.objects.filter(company=company, member=member)
    yield ASKED, wishes.select_related("member"), "created_at"
    answered = wishes.exclude(answered_at=None).select_related("answered_by")
    yield ANSWERED, answered, "answered_at"


def _below(source: int, before: Place, at: str) -> Q:
    instant, its_source, pk = before
    below = Q(**{f"{at}__lt": instant})
    if source < its_source:
        return below | Q(**{at: instant})
    if source == its_source:
        return below | Q(**{at: instant}, pk__lt=pk)
    return below


def _of_member(member: Member, viewer_administers: bool) -> Iterator[Event]:
    yield Event(JOINED, member.pk, member.joined_at, _("Joined the company"))
    if member.ended_at is not None:
        has_left = member.status == Member.Status.LEFT
        title = _("Left the company") if has_left else _("Was removed from the company")
        yield Event(ENDED, member.pk, member.ended_at, title)
    last = member.user.last_login
    if viewer_administers and member.is_present and last is not None:
        yield Event(SIGNED_IN, member.pk, last, _("Signed in last"), who=member.name)


def _tell(source: int, row: Any, member: Member, lists: dict[int, str]) -> Event:
    currency = member.company.currency
    if source == DECIDED:
        line = tell_entry(row, {}, currency, lists)
        return Event(source, row.pk, line.at, line.what, line.details, line.who, line.by_token)
    if source == RULE:
        return Event(source, row.pk, row.at, *_rule_words(row, currency))
    if source == RECEIVED:
        title = _("Received %(amount)s") % {"amount": format_money(row.amount, currency)}
        return Event(source, row.pk, row.created_at, title, who=_name(row.actor))
    if source == INVITED:
        title = _("Was invited")
        return Event(source, row.pk, row.created_at, title, row.address, _name(row.invited_by))
    if source == ASKED:
        title = _("Asked for %(amount)s") % {"amount": format_money(row.amount, currency)}
        return Event(source, row.pk, row.created_at, title, row.reason, member.name)
    return _answer(row, member)


def _rule_words(row: RechargeOutcome, currency: str) -> tuple[str, str]:
    if row.outcome == Outcome.RECHARGED:
        title = _("Recharged with %(amount)s")
        return title % {"amount": format_money(row.amount, currency)}, ""
    text = format_money(row.amount, currency) if row.amount else ""
    return str(Outcome(row.outcome).label), text


def _answer(row: CreditRequest, member: Member) -> Event:
    who = _name(row.answered_by)
    at = row.answered_at or row.created_at
    if row.status == CreditRequest.Status.APPROVED:
        amount = format_money(row.granted or 0, member.company.currency)
        return Event(
            ANSWERED, row.pk, at, _("%(amount)s were granted") % {"amount": amount}, "", who
        )
    if row.status == CreditRequest.Status.DECLINED:
        return Event(ANSWERED, row.pk, at, _("The request was declined"), row.answer, who)
    return Event(ANSWERED, row.pk, at, _("The request was withdrawn"), "", who)


def _name(member: Member | None) -> str:
    return member.name if member else ""


def _read_cursor(text: str) -> Place:
    match = CURSOR.fullmatch(text)
    if match is None:
        raise InvalidActivityCursor(_("This cursor is not one that we gave."), field="cursor")
    micros, source, pk = (int(part) for part in match.groups())
    try:
        return EPOCH + micros * MICROSECOND, source, pk
    except OverflowError as error:
        raise InvalidActivityCursor(
            _("This cursor is not one that we gave."), field="cursor"
        ) from error


def _write_cursor(event: Event) -> str:
    return f"{(event.at - EPOCH) // MICROSECOND}-{event.source}-{event.id}"
