"""Who was chosen on the table of members, by ticks or by its filters. Its one rule: filters are
resolved when acted upon, and what was not understood means nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from credit.allocation import Recipients
from credit.filter_words import filter_words
from credit.ledger import MOVES_LIMIT
from credit.member_filters import (
    GONE,
    MemberFilters,
    filtered_members,
    or_zero,
    with_purses,
)
from credit.queries.member_totals import MembersTotals, read_totals, sum_up
from members.access import find_list
from members.actors import Actor
from members.models import Member, MemberList
from members.models.people import PRESENT
from skypemgr.lib.errors import NotFound
from skypemgr.lib.formats import format_number
from skypemgr.lib.periods import utc_now
from skypemgr.lib.wide import wide_memory

Status = Member.Status
MAX_ID_DIGITS = 18
AT_ONCE = MOVES_LIMIT


class Action(Enum):
    """What is done with several members at once."""

    MOVE = "move"
    SUSPEND = "suspend"
    REACTIVATE = "reactivate"
    REMOVE = "remove"


# Whom each concerns, by status.
CONCERNED: dict[Action, tuple[str, ...]] = {
    Action.MOVE: PRESENT,
    Action.SUSPEND: (Member.Status.ACTIVE,),
    Action.REACTIVATE: (Member.Status.SUSPENDED,),
    Action.REMOVE: PRESENT,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen by the address of the page."""

    recipients: Recipients
    list: MemberList | None = None
    words: tuple[str, ...] = ()

    @property
    def is_misread(self) -> bool:
        """Whether it is told by a filter that was not understood: then nobody is meant."""
        return self.recipients.filters is not None and bool(self.recipients.filters.errors)

    @property
    def is_nobody(self) -> bool:
        """Whether no box was ticked and nothing else names anybody."""
        return self.recipients.are_named and not self.recipients.member_ids

    def content(self) -> dict[str, object]:
        """What identifies the choice, for a form's key."""
        return {
            "members": sorted(set(self.recipients.member_ids)),
            "list": self.recipients.list_id,
            "all": self.recipients.all_members,
            **({"filters": filters.content()} if (filters := self.recipients.filters) else {}),
        }


def read_choice(actor: Actor, values: QueryDict) -> Choice:
    """Who is named by ``every=1`` with the filters of the table, by ``member=…``, ``list=…`` or
    ``all=1``; NotFound for another company's.
    """
    if values.get("every") == "1":
        filters = MemberFilters.of(_texts(values))
        words = tuple(text for _name, text in filter_words(actor.company, filters))
        return Choice(Recipients(filters=filters), words=words)
    named = values.getlist("member")
    if not named and values.get("all") == "1":
        return Choice(Recipients(all_members=True))
    chosen = values.get("list")
    if not named and chosen:
        found = find_list(actor, _whole(chosen))
        return Choice(Recipients(list_id=found.pk), found)
    ids = tuple(dict.fromkeys(_whole(text) for text in named))
    known = Member.objects.filter(company=actor.company, pk__in=ids).count()
    if known < len(ids):
        raise NotFound(_("There is no such member in your company."), code="unknown_member")
    return Choice(Recipients(member_ids=ids))


@dataclass(frozen=True, slots=True)
class Crowd:
    """Whom an action concerns: how many, and what they have together. ``apart`` says who was chosen
    and is not concerned, and why.
    """

    members: QuerySet[Member]
    count: int
    balance: Decimal
    apart: list[str]

    @property
    def ids(self) -> list[int]:
        """Of all, at most one more than can be changed at once."""
        return list(self.members.order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1])


def gather(actor: Actor, choice: Choice, action: Action, *, is_final: bool = False) -> Crowd:
    """Those of the chosen whom the action concerns; who acts is never suspended or removed among
    others, so that the company keeps an administrator. ``is_final``: counted anew, to act upon.
    Two queries for the numbers.
    """
    today = actor.company.day_at(utc_now())
    chosen = _chosen(actor, choice.recipients, today)
    concerned = CONCERNED[action]
    filters = _as_filters(choice.recipients)
    with wide_memory():
        if filters is None:
            totals = sum_up(chosen, today)
        elif filters.errors:
            totals = MembersTotals({})
        else:
            totals = read_totals(actor.company, filters, today=today, anew=is_final)
        members = chosen.filter(status__in=concerned).order_by("name_key", "pk")
        sums = totals.of(concerned)
        count, balance, has_oneself = sums.count, sums.balance, False
        if action in (Action.SUSPEND, Action.REMOVE) and actor.member is not None:
            oneself = members.filter(pk=actor.member.pk).values_list(or_zero("purse__balance"))
            members = members.exclude(pk=actor.member.pk)
            for (own_balance,) in oneself:
                count, balance, has_oneself = count - 1, balance - own_balance, True
    return Crowd(members, count, balance, _apart(totals, concerned, has_oneself=has_oneself))


def _as_filters(recipients: Recipients) -> MemberFilters | None:
    """The filters that leave the same members; None where boxes were ticked."""
    if recipients.filters is not None:
        return recipients.filters
    if recipients.list_id is not None:
        return MemberFilters(list_id=recipients.list_id)
    return MemberFilters() if recipients.all_members else None


def _apart(totals: MembersTotals, concerned: Sequence[str], *, has_oneself: bool) -> list[str]:
    """A sentence for each reason why somebody chosen is not concerned."""
    left_out = {
        "active": totals.of({Status.ACTIVE}.difference(concerned)).count,
        "suspended": totals.of({Status.SUSPENDED}.difference(concerned)).count,
        "gone": totals.of(set(GONE).difference(concerned)).count,
    }
    told = []
    if has_oneself:
        told.append(_("You yourself are left out: somebody has to administer the company."))
    for reason, sentence in (
        (
            "active",
            ngettext(
                "%(count)s member is active already.",
                "%(count)s members are active already.",
                left_out["active"],
            ),
        ),
        (
            "suspended",
            ngettext(
                "%(count)s member is suspended already.",
                "%(count)s members are suspended already.",
                left_out["suspended"],
            ),
        ),
        (
            "gone",
            ngettext(
                "%(count)s member is no longer in the company.",
                "%(count)s members are no longer in the company.",
                left_out["gone"],
            ),
        ),
    ):
        if left_out[reason]:
            told.append(sentence % {"count": format_number(left_out[reason])})
    return told


def _chosen(actor: Actor, recipients: Recipients, today: date) -> QuerySet[Member]:
    """Everybody meant, whatever their status."""
    if recipients.filters is not None:
        found = filtered_members(actor.company, recipients.filters, today=today)
        return found.none() if recipients.filters.errors else found
    members = with_purses(actor.company)
    if recipients.list_id is not None:
        return members.filter(list_id=recipients.list_id, status__in=PRESENT)
    if recipients.all_members:
        return members.filter(status__in=PRESENT)
    return members.filter(pk__in=recipients.member_ids)


def why_too_many(count: int) -> str:
    """The sentence that stands in place of a form for more members than one action changes."""
    if count <= AT_ONCE:
        return ""
    return _(
        "These are %(count)s members. At most %(limit)s can be changed at once: narrow them with"
        " the filters, for example list by list."
    ) % {"count": format_number(count), "limit": format_number(AT_ONCE)}


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS):
        raise NotFound(_("There is no such member in your company."), code="unknown_member")
    return int(text)


def _texts(values: QueryDict) -> dict[str, str]:
    """Each parameter's last value."""
    return {name: str(values[name]) for name in values if values.getlist(name)}


def say_count_changed(count: int) -> str:
    """That others are chosen now than the page showed, before anything is done."""
    sentence = ngettext(
        "Meanwhile it is %(count)s member. Please check again.",
        "Meanwhile they are %(count)s members. Please check again.",
        count,
    )
    return sentence % {"count": format_number(count)}
