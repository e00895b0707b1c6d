"""Every movement of the company's purse. Its one rule: a row is one version of the purse, so that
the balances of the rows go on from the opening to the closing one.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from credit.models import DailyTotal, Transfer
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

TITLE = _("Statement")
Kind = Transfer.Kind
# Calls are paid by members; none of them is a movement of the company's purse.
MOVED = tuple(kind.value for kind in Kind if kind != Kind.CALL)
KINDS = (Choice("", _("All movements")), *(Choice(kind, KIND_LABELS[kind]) for kind in MOVED))
COLUMNS = (
    Column("day", _("Date"), "day"),
    Column("kind", _("Movement"), "kind", below="member"),
    Column("purchase_id", _("Purchase number"), "id"),
    Column("member_id", _("Member"), "id"),
    Column("member", _("Member"), shown_from="tablet"),
    Column("what", _("What"), shown_from="wide"),
    Column("by", _("Made by"), shown_from="wide"),
    Column("in", _("In"), "money"),
    Column("out", _("Out"), "money"),
    Column("balance_after", _("Balance after"), "money", shown_from="tablet"),
)
SORTS = ("day",)
_SIDE = """
SELECT transfer.id, transfer.booked_on AS day, transfer.{side}_version AS place, transfer.kind,
       transfer.{other}_id AS other_id, transfer.actor_id, {sign}transfer.amount AS amount,
       transfer.{side}_balance_after AS balance_after
  FROM credit_transfer transfer
 WHERE transfer.{side}_id = %(purse)s AND transfer.{side}_version > %(after)s
   AND transfer.{side}_version <= %(until)s
   AND (%(kind)s = '' OR transfer.kind = %(kind)s)
"""
_READ = """
SELECT moved.day, moved.kind, purchase.id, member.id, member.name, plan.name_en, plan.name_fr,
       number.e164, actor.name, moved.amount, moved.balance_after
  FROM ({source} UNION ALL {destination}
        ORDER BY place {direction} LIMIT %(limit)s OFFSET %(offset)s) moved
  LEFT JOIN billing_purchase purchase ON purchase.transfer_id = moved.id
  LEFT JOIN credit_account purse ON purse.id = moved.other_id
  LEFT JOIN billing_subscriptionperiod period ON period.transfer_id = moved.id
  LEFT JOIN billing_subscription subscription ON subscription.id = period.subscription_id
  LEFT JOIN billing_plan plan ON plan.id = period.plan_id
  LEFT JOIN billing_phonenumber number ON number.id = subscription.number_id
  LEFT JOIN members_member member
         ON member.id = coalesce(purse.member_id, subscription.member_id)
  LEFT JOIN members_member actor ON actor.id = moved.actor_id
 ORDER BY moved.place {direction}
"""
READ = {
    direction: _READ.format(
        source=_SIDE.format(side="source", other="destination", sign="-"),
        destination=_SIDE.format(side="destination", other="source", sign=""),
        direction=direction,
    )
    for direction in ("ASC", "DESC")
}


def read_statement(company: Company, span: Span, filters: Filters) -> Report:
    """What moved in the span, the first one first. Three queries, one more a page."""
    kind = choose("kind", filters.kind, KINDS)
    sort = choose_sort(filters.sort, SORTS, "day")
    is_falling = sort.startswith("-")
    versions = read_versions(company, span)
    count, incoming, outgoing = _sums(versions, span, kind)

    def read(offset: int, limit: int) -> Sequence[Row]:
        after, until = versions.opening, versions.closing
        if not kind:
            # Each movement is one version: a page is a range of them.
            if is_falling:
                until, after = until - offset, max(after, until - offset - limit)
            else:
                after, until = after + offset, min(until, after + offset + limit)
            offset = 0
        parameters: dict[str, Any] = {
            "purse": versions.purse_id,
            "after": after,
            "until": until,
            "kind": kind,
            "limit": limit,
            "offset": offset,
        }
        with connection.cursor() as cursor:
            cursor.execute(READ["DESC" if is_falling else "ASC"], parameters)
            return [_row(found) for found in cursor.fetchall()]

    return Report(
        name="statement",
        title=TITLE,
        columns=COLUMNS,
        count=count,
        totals={"in": incoming, "out": outgoing},
        read=read,
        kinds=KINDS,
        sorts=SORTS,
        sort=sort,
    )


def _sums(versions: Versions, span: Span, kind: str) -> tuple[int, Decimal, Decimal]:
    found = DailyTotal.objects.filter(
        account=versions.purse_id, day__gte=span.first, day__lte=span.last
    )
    if kind:
        found = found.filter(kind=kind)
    sums = found.aggregate(
        count=Sum("moves_count", default=0),
        incoming=Sum("incoming", default=ZERO),
        outgoing=Sum("outgoing", default=ZERO),
    )
    return sums["count"], sums["incoming"], sums["outgoing"]


def _row(found: Sequence[Any]) -> Row:
    day, kind, purchase, member_id, member, name_en, name_fr, number, by, amount, after = found
    what = feature_words(name_en, name_fr, number)
    incoming, outgoing = max(amount, ZERO), max(-amount, ZERO)
    return (day, kind, purchase, member_id, member, what, by, incoming, outgoing, after)
