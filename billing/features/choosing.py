"""Who of the chosen can be given a kind of features. Its one rule: whoever cannot is told in
numbers, never left out in silence.
"""

from dataclasses import dataclass

from django.utils.translation import ngettext

from billing.features.giving import MOST_AT_ONCE, ONE_EACH
from billing.models import FeatureBan, Subscription
from credit.allocation import Recipients, recipients_query
from members.actors import Actor
from members.models import Member
from skypemgr.lib.formats import format_number


@dataclass(frozen=True, slots=True)
class Receivers:
    """Who can be given it, how many these are, and a sentence for each reason why others cannot."""

    recipients: Recipients
    count: int
    apart: tuple[str, ...]


def choose_receivers(actor: Actor, kind: str, recipients: Recipients) -> Receivers:
    """Those of the recipients who may have the kind, and who do not have it already where one is
    enough. A fixed number of queries; raises as ``recipients_query``.
    """
    chosen = Member.objects.filter(pk__in=recipients_query(actor, recipients).values("pk"))
    count = chosen.count()
    banned = set(
        FeatureBan.objects.filter(company=actor.company, kind=kind)
        .filter(member__in=chosen)
        .values_list("member_id", flat=True)
    )
    there: set[int] = set()
    if kind in ONE_EACH:
        there = set(
            Subscription.objects.filter(
                company=actor.company, kind=kind, status__in=Subscription.OPEN, member__in=chosen
            ).values_list("member_id", flat=True)
        )
    if not banned and not there:
        return Receivers(recipients, count, ())
    spared = banned | there
    rest = chosen.exclude(pk__in=spared).order_by("pk").values_list("pk", flat=True)
    named = Recipients(member_ids=tuple(rest[: MOST_AT_ONCE + 1]))
    return Receivers(named, count - len(spared), _apart(len(banned), len(there - banned)))


def _apart(banned_count: int, there_count: int) -> tuple[str, ...]:
    told = []
    if banned_count:
        sentence = ngettext(
            "%(count)s member may not have this kind of feature.",
            "%(count)s members may not have this kind of feature.",
            banned_count,
        )
        told.append(sentence % {"count": format_number(banned_count)})
    if there_count:
        sentence = ngettext(
            "%(count)s member has it already.",
            "%(count)s members have it already.",
            there_count,
        )
        told.append(sentence % {"count": format_number(there_count)})
    return tuple(told)
