"""What the features of some members cost in spans of days. Its one rule: a feature counts on the
day on which it was paid, for the list in which its member was on that day.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from credit.placing import place_on
from credit.span_figures import Pieces
from members.models import Company

_PAID = """
  FROM billing_subscription subscription
  JOIN billing_subscriptionperiod period ON period.subscription_id = subscription.id
  JOIN credit_transfer transfer ON transfer.id = period.transfer_id
 WHERE subscription.company_id = %(company)s
   AND transfer.booked_on BETWEEN %(first)s AND %(last)s
"""
_SUM_OF_MEMBER = """
SELECT width_bucket(transfer.booked_on, %(starts)s::date[]) - 1, sum(transfer.amount)
  {paid} AND subscription.member_id = %(member)s
 GROUP BY 1
"""
_SUM_OF_LIST = """
WITH paid AS MATERIALIZED (
  SELECT subscription.member_id, transfer.booked_on AS day, transfer.amount
    {paid} AND subscription.member_id IN (
      SELECT member_id FROM members_memberplacement WHERE list_id = %(list)s)
)
SELECT width_bucket(total.day, %(starts)s::date[]) - 1, sum(total.amount)
  FROM paid total {place}
 WHERE place.list_id = %(list)s
 GROUP BY 1
"""
OF_MEMBER = _SUM_OF_MEMBER.format(paid=_PAID)
OF_LIST = _SUM_OF_LIST.format(paid=_PAID, place=place_on("total.member_id", "total.day"))


def read_feature_sums(
    company: Company, pieces: Pieces, *, list_id: int | None = None, member_id: int | None = None
) -> Mapping[int, Decimal]:
    """What was paid for the features of the member, or of those in the list, by the place of the
    piece of days. One query.
    """
    parameters: dict[str, Any] = {
        "company": company.pk,
        "member": member_id,
        "list": list_id,
        "first": pieces.first,
        "last": pieces.last,
        "starts": pieces.starts,
    }
    with connection.cursor() as cursor:
        cursor.execute(OF_LIST if list_id is not None else OF_MEMBER, parameters)
        return dict(cursor.fetchall())


def of_span(sums: Mapping[int, Decimal], pieces: Pieces, first: date, last: date) -> Decimal:
    """What was paid in one of the spans."""
    return sum((sums.get(place, Decimal(0)) for place in pieces.of(first, last)), Decimal(0))
