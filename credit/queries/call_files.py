"""Single calls as one query for long files. Its one rule: as in ``credit.queries.calls``, who may
see them was asked before; the same calls in the same order, digits hidden to all but their member.

Numbers stand in their plain form, +33142278186, which programs read; instants in the reader's zone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from credit.queries.calls import AROUND, SHOWN_OF_DAY, Wanted, day_parameters, noon
from members.call_details import hidden_digits_sql
from members.models import Company, Member

# Countries are looked up and not joined: the calls come in their order from the index.
COLUMNS = f"""
SELECT date_trunc('second', call.started_at AT TIME ZONE %(zone)s) AS started_at,
       call.started_on, call.booked_on, {{member}} AS member,
       CASE WHEN call.member_id = %(viewer)s THEN call.destination
            ELSE {hidden_digits_sql("call.destination")} END AS destination,
       coalesce(%(countries)s::jsonb ->> call.country, nullif(call.country, '')) AS country,
       1 AS calls_count, call.duration_seconds, call.included_seconds,
       call.price, call.collected, call.uncollected, %(currency)s::text AS currency
"""
OF_MEMBER = """
  FROM credit_call call
 WHERE call.company_id = %(company)s AND call.member_id = %(member)s
   AND call.started_at >= %(since)s AND call.started_at < %(until)s
   AND call.started_on BETWEEN %(first)s AND %(last)s
   AND (%(country)s = '' OR call.country = %(country)s)
   AND (NOT %(unpaid)s OR call.uncollected > 0)
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose file it is: the own calls have all digits. ``countries``: names by codes."""

    viewer_id: int
    zone: str
    countries: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CallsQuery:
    """A query of ours with its parameters. Columns: start, day, booked on, member, number, country,
    1, seconds, included seconds, price, collected, uncollected, currency.
    """

    columns: str
    source: str
    parameters: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Newest first."""
        return f"{self.columns} {self.source} ORDER BY call.started_at DESC, call.id DESC"

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The calls, a few in memory at a time; within a transaction."""
        with connection.chunked_cursor() as cursor:
            cursor.execute(self.text, self.parameters)
            yield from cursor

    def count(self) -> int:
        """How many calls there are. One query."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) {self.source}", self.parameters)
            (found,) = cursor.fetchone()
        return int(found)


def member_calls_query(member: Member, wanted: Wanted, reader: Reader) -> CallsQuery:
    """All calls of which ``read_member_calls`` gives pages."""
    columns = COLUMNS.format(member="%(name)s::text")
    about = {
        "company": member.company_id,
        "member": member.pk,
        "name": member.name,
        "since": noon(wanted.first) - AROUND,
        "until": noon(wanted.last) + AROUND,
        "first": wanted.first,
        "last": wanted.last,
        "country": wanted.country,
        "unpaid": wanted.only_uncollected,
    }
    return CallsQuery(columns, OF_MEMBER, {**about, **_of_reader(reader, member.company)})


def shown_calls_query(company: Company, day: date, wanted: Wanted, reader: Reader) -> CallsQuery:
    """All calls of which ``read_shown_calls`` gives pages."""
    columns = COLUMNS.format(member="member.name")
    about = day_parameters(company, day, wanted, reader.viewer_id)
    return CallsQuery(columns, SHOWN_OF_DAY, {**about, **_of_reader(reader, company)})


def _of_reader(reader: Reader, company: Company) -> dict[str, Any]:
    return {
        "viewer": reader.viewer_id,
        "zone": reader.zone,
        "countries": json.dumps(dict(reader.countries)),
        "currency": company.currency,
    }
