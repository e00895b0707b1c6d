"""What the company gave its members: credit by hand and by rule, and features. Its one rule: a row
is a transfer out of the company's purse, with the list in which the member was on that day.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from billing.models import FeatureKind
from credit.figures import Level, totals
from credit.models import DailyTotal, Transfer
from credit.placing import PLACE
from members.models import Company
from skypemgr.portal.reports.base import (
    KIND_LABELS,
    ZERO,
    Choice,
    Column,
    Filters,
    Report,
    Row,
    Versions,
    choose,
    choose_sort,
    feature_words,
    read_versions,
)
from skypemgr.portal.spans import Span

TITLE = _("Allocations")
Kind = Transfer.Kind
GIVEN = (Kind.ALLOCATION, Kind.AUTO_RECHARGE, Kind.FEATURE)
KINDS = (
    Choice("", _("All that was given")),
    *(
        Choice(kind.value, KIND_LABELS[kind.value])
        for kind in (Kind.ALLOCATION, Kind.AUTO_RECHARGE, Kind.FEATURE, *FeatureKind)
    ),
)
COLUMNS = (
    Column("day", _("Date"), "day"),
    Column("member_id", _("Member"), "id"),
    Column("member", _("Member"), below="kind"),
    Column("list_id", _("List"), "id"),
    Column("list", _("List"), shown_from="tablet"),
    Column("kind", _("Kind"), "kind", shown_from="tablet"),
    Column("what", _("What"), shown_from="wide"),
    Column("by", _("Allocated by"), shown_from="wide"),
    Column("amount", _("Amount"), "money"),
    Column("balance_after", _("Member's balance after"), "money", shown_from="wide"),
)
SORTS = ("day",)
# Of many rows only those of the page are looked up further, unless it is these that choose them.
_MOVES = """
SELECT transfer.id, transfer.booked_on AS day, transfer.source_version AS place, transfer.kind,
       transfer.destination_id, transfer.actor_id, transfer.amount,
       transfer.destination_balance_after AS balance_after
  FROM credit_transfer transfer
 WHERE transfer.source_id = %(purse)s AND transfer.source_version > %(opening)s
   AND transfer.source_version <= %(closing)s AND transfer.kind = ANY(%(kinds)s::text[])
"""
# A member's are few: what came to the purse, and the features that were the member's.
_TO_PURSE = """
   AND transfer.destination_id = (
     SELECT id FROM credit_account WHERE company_id = %(company)s AND member_id = %(member)s)
"""
_FOR_FEATURES = """
   AND transfer.kind = 'feature' AND transfer.id IN (
     SELECT period.transfer_id FROM billing_subscriptionperiod period
       JOIN billing_subscription subscription ON subscription.id = period.subscription_id
      WHERE subscription.member_id = %(member)s)
"""
_MEMBER_MOVES = f"{_MOVES} {_TO_PURSE} UNION ALL {_MOVES} {_FOR_FEATURES}"
_JOINED = """
  JOIN credit_account purse ON purse.id = total.destination_id
  LEFT JOIN billing_subscriptionperiod period ON period.transfer_id = total.id
  LEFT JOIN billing_subscription subscription ON subscription.id = period.subscription_id
 CROSS JOIN LATERAL (
   SELECT coalesce(purse.member_id, subscription.member_id) AS member_id) account
"""
_CHOSEN = """
 WHERE (%(feature)s = '' OR subscription.kind = %(feature)s)
   AND (%(member)s::bigint IS NULL OR account.member_id = %(member)s)
   AND (%(list)s::bigint IS NULL OR place.list_id = %(list)s)
"""
_PAGE = "ORDER BY {place} {direction} LIMIT %(limit)s OFFSET %(offset)s"
_READ = """
SELECT total.day, account.member_id, member.name, list.id, list.name, total.kind, subscription.kind,
       plan.name_en, plan.name_fr, number.e164, actor.name, total.amount, total.balance_after
  FROM ({moves}) total {joined} {place}
  LEFT JOIN members_member member ON member.id = account.member_id
  LEFT JOIN members_memberlist list ON list.id = place.list_id
  LEFT JOIN billing_plan plan ON plan.id = period.plan_id
  LEFT JOIN billing_phonenumber number ON number.id = subscription.number_id
  LEFT JOIN members_member actor ON actor.id = total.actor_id
"""
READ_ALL = {
    direction: _READ.format(
        moves=_MOVES + _PAGE.format(place="transfer.source_version", direction=direction),
        joined=_JOINED,
        place=PLACE,
    )
    + f"ORDER BY total.place {direction}"
    for direction in ("ASC", "DESC")
}
READ_CHOSEN, READ_MEMBER = (
    {
        direction: _READ.format(moves=moves, joined=_JOINED, place=PLACE)
        + _CHOSEN
        + _PAGE.format(place="total.place", direction=direction)
        for direction in ("ASC", "DESC")
    }
    for moves in (_MOVES, _MEMBER_MOVES)
)
_SUM = "SELECT count(*), coalesce(sum(total.amount), 0) FROM ({moves}) total {joined} {place}"
SUM_CHOSEN, SUM_MEMBER = (
    _SUM.format(moves=moves, joined=_JOINED, place=PLACE) + _CHOSEN
    for moves in (_MOVES, _MEMBER_MOVES)
)


def read_allocations(company: Company, span: Span, filters: Filters) -> Report:
    """What was given in the span, the first one first. Three queries, one more a page."""
    kind = choose("kind", filters.kind, KINDS)
    versions = read_versions(company, span)
    feature = kind if kind in FeatureKind.values else ""
    kinds = [Kind.FEATURE] if feature else [kind] if kind else list(GIVEN)
    parameters: dict[str, Any] = {
        "company": company.pk,
        "purse": versions.purse_id,
        "opening": versions.opening,
        "closing": versions.closing,
        "kinds": [str(each) for each in kinds],
        "feature": feature,
        "member": filters.member_id,
        "list": filters.list_id,
    }
    is_chosen = bool(feature or filters.member_id or filters.list_id)
    if not is_chosen:
        count, amount = _sum_all(versions, span, kinds)
    elif filters.list_id and not (feature or filters.member_id):
        count, amount = _sum_list(company, span, filters.list_id, parameters)
    else:
        count, amount = _sum_chosen(parameters)
    sort = choose_sort(filters.sort, SORTS, "day")
    queries = READ_MEMBER if filters.member_id else READ_CHOSEN if is_chosen else READ_ALL
    query = queries["DESC" if sort.startswith("-") else "ASC"]

    def read(offset: int, limit: int) -> Sequence[Row]:
        with connection.cursor() as cursor:
            cursor.execute(query, {**parameters, "offset": offset, "limit": limit})
            return [_row(found) for found in cursor.fetchall()]

    return Report(
        name="allocations",
        title=TITLE,
        columns=COLUMNS,
        count=count,
        totals={"amount": amount},
        read=read,
        kinds=KINDS,
        can_choose_people=True,
        sorts=SORTS,
        sort=sort,
    )


def _sum_all(versions: Versions, span: Span, kinds: Sequence[str]) -> tuple[int, Decimal]:
    sums = DailyTotal.objects.filter(
        account=versions.purse_id, day__gte=span.first, day__lte=span.last, kind__in=kinds
    ).aggregate(count=Sum("moves_count", default=0), amount=Sum("outgoing", default=ZERO))
    return sums["count"], sums["amount"]


def _sum_list(
    company: Company, span: Span, list_id: int, parameters: Mapping[str, Any]
) -> tuple[int, Decimal]:
    """What members of the list received stands in the sums of the list; features are paid by the
    company and do not.
    """
    received = [kind for kind in parameters["kinds"] if kind != Kind.FEATURE]
    count, amount = 0, ZERO
    if Kind.FEATURE in parameters["kinds"]:
        count, amount = _sum_chosen({**parameters, "kinds": [str(Kind.FEATURE)]})
    for row in totals(company, span.first, span.last, Level.LIST) if received else ():
        if row.list_id == list_id and row.kind in received:
            count, amount = count + int(row.moves_count), amount + row.incoming
    return count, amount


def _sum_chosen(parameters: Mapping[str, Any]) -> tuple[int, Decimal]:
    with connection.cursor() as cursor:
        cursor.execute(SUM_MEMBER if parameters["member"] else SUM_CHOSEN, parameters)
        count, amount = cursor.fetchone()
        return count, amount


def _row(found: Sequence[Any]) -> Row:
    day, member_id, member, list_id, in_list, kind, feature, name_en, name_fr, number, *rest = found
    what = feature_words(name_en, name_fr, number)
    return (day, member_id, member, list_id, in_list, feature or kind, what, *rest)
