"""Calls by member. Its one rule: as ``credit.usage``; whole years or months come from sums,
days at the edges of a span from the calls.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.db import connection

from credit.member_filters import phone_digits
from credit.models import UsageMember
from credit.usage import EVERYBODY, WIDTH, Measures, Usage, Within, usage_total, within_sql
from credit.usage_rollup import COLUMNS, MEASURES
from credit.usage_sql import SUMS, SUMS_BOOKED, not_summed, placed, summed
from members.models import Company
from skypemgr.lib.periods import first_of_month, first_of_next_month, utc_now
from skypemgr.lib.text import search_key
from skypemgr.lib.wide import wide_memory

PAGE_SIZE = 50
DEFAULT_SORT = "-collected"
SORTS = (*MEASURES, "name")
MOST_WORDS = 8
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MemberUsage:
    """One member's calls started in the span; who is gone is still named."""

    member_id: int
    name: str
    status: str
    started: Measures
    booked_in_span: Measures

    @property
    def booked_later(self) -> Measures:
        """What was booked after the span's last day."""
        return self.started - self.booked_in_span


@dataclass(frozen=True, slots=True)
class MembersUsage:
    """One page of members with calls, how many there are on all pages, and the sum of all."""

    rows: list[MemberUsage]
    count: int
    total: Usage


# Rows of a month (year) that ends within the span were booked wholly in it or wholly after it, save
# those booked in the month in which the span breaks off.
_STORED = """
  SELECT member_id, booked_month AS booked_on, {columns}
    FROM credit_usagemember
   WHERE company_id = %(company)s AND period = %(period)s AND month = ANY(%(months)s::date[])
     {broken} {within} {only}
   UNION ALL
"""
# For the order alone it does not matter when calls were booked: a year stands for its months, less
# those that are not in the span.
_COVERED = """
  SELECT member_id, {sign}{column} AS amount, {sign}calls_count AS calls_count
    FROM credit_usagemember
   WHERE company_id = %(company)s AND period = '{period}' AND month = ANY(%({months})s::date[])
     {within} {only}
   UNION ALL
"""
_COVER = {"plain": ("", "month"), "years": ("", "year"), "less": ("-", "month")}
_RANKED = """
  {covered}
  SELECT member_id, {column} AS amount, calls_count FROM placed
   WHERE NOT (is_summed AND started_on >= %(begin)s AND started_on < %(end)s) {within} {only}
"""
_NOT_BROKEN = "AND booked_month IS DISTINCT FROM %(broken_month)s::date"
_PART = """
  {stored}
  SELECT member_id, booked_on, {columns} FROM placed WHERE true {within} {only}
"""
# Sorted first: for so many members a table of all sums in memory is slower.
_PAGE = """
WITH {call}, {placed}, ranked AS MATERIALIZED (
  SELECT member_id, sum(amount) AS amount FROM ({ranked} ORDER BY member_id) part
   GROUP BY member_id {having}
), page AS MATERIALIZED (
  {listed} ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
), found AS (
  SELECT member_id, {sums}, {sums_booked} FROM ({found}) part GROUP BY member_id
)
SELECT (SELECT count(*) FROM ranked), found.*, member.name, member.status
  FROM page JOIN found USING (member_id) JOIN members_member member ON member.id = member_id
 ORDER BY {order}
"""
_BY_AMOUNT = "SELECT member_id, amount FROM ranked"
# Names come in their order from the index: a condition, where a join would sort them all.
_BY_NAME = """
SELECT member.id AS member_id, 0 AS amount FROM members_member member
 WHERE member.company_id = %(company)s
   AND (member.id IN (SELECT member_id FROM ranked)) IS TRUE"""
_TOTAL = """
WITH {call}, {placed} SELECT {sums}, {sums_booked} FROM ({part}) part
"""
_ON_PAGE = "AND member_id = ANY(ARRAY(SELECT member_id FROM page))"
_SEARCHED = """AND member_id IN (
  SELECT id FROM members_member WHERE company_id = %(company)s AND ({condition}))"""


def usage_of_members(
    company: Company,
    first_day: date,
    last_day: date,
    *,
    search: str = "",
    within: Within = EVERYBODY,
    sort: str = DEFAULT_SORT,
    page: int = 1,
    page_size: int = PAGE_SIZE,
) -> MembersUsage:
    """The members with calls started in these days, both included: a page, from 1 on, in the order
    of ``name`` or of a measure (``-``: falling); ValueError for another. Two queries, in wide
    memory. Beyond the last page there are no rows, and the count is 0.
    """
    parameters, pieces = _pieces(company, first_day, last_day, search, within)
    measure = sort.removeprefix("-")
    if measure not in SORTS:
        raise ValueError(f"unknown sort {sort!r}")
    direction = "DESC" if sort.startswith("-") else "ASC"
    is_named = measure == "name"
    # By name any measure will do: the one that an index tells and that is quickest added up.
    amount = "calls_count" if is_named else measure
    order = f"{'member.name_key' if is_named else 'amount'} {direction}, member_id"
    query = _PAGE.format(
        call=pieces.call,
        placed=pieces.placed,
        ranked=pieces.ranked(amount),
        having="HAVING sum(calls_count) > 0" if "less" in pieces.covered else "",
        found=pieces.part(_ON_PAGE),
        listed=_BY_NAME if is_named else _BY_AMOUNT,
        order=order,
        sums=SUMS,
        sums_booked=SUMS_BOOKED,
    )
    parameters |= {"limit": page_size, "offset": (page - 1) * page_size}
    with wide_memory():
        rows = _rows(query, parameters)
        total = _total(company, first_day, last_day, parameters, pieces, within)
    count = rows[0][0] if rows else 0
    return MembersUsage([_member(row[1:]) for row in rows], count, total)


def _member(row: tuple[Any, ...]) -> MemberUsage:
    return MemberUsage(
        member_id=row[0],
        name=row[-2],
        status=row[-1],
        started=Measures(*row[1 : 1 + WIDTH]),
        booked_in_span=Measures(*row[1 + WIDTH : 1 + 2 * WIDTH]),
    )


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The parts of the statements that depend on what is asked for."""

    call: str
    placed: str
    stored: str
    covered: frozenset[str]
    within: str
    searched: str

    def part(self, only: str) -> str:
        """All that is to be summed, cut to some members."""
        stored = self.stored.format(columns=COLUMNS, within=self.within, only=only)
        return _PART.format(stored=stored, columns=COLUMNS, within=self.within, only=only)

    def ranked(self, column: str) -> str:
        """One measure of all members: an index may tell it."""
        where = {"column": column, "within": self.within, "only": self.searched}
        covered = "".join(
            _COVERED.format(sign=sign, period=period, months=months, **where)
            for months, (sign, period) in _COVER.items()
            if months in self.covered
        )
        return _RANKED.format(covered=covered, **where)


def _pieces(
    company: Company, first_day: date, last_day: date, search: str, within: Within
) -> tuple[dict[str, Any], _Pieces]:
    months = _whole_months(first_day, last_day)
    is_broken = (last_day + A_DAY).day != 1
    cover = _cover(months, company.day_at(utc_now()))
    is_years = (first_day.month, first_day.day, last_day.month, last_day.day) == (1, 1, 12, 31)
    years = cover["years"] if is_years else []
    parameters: dict[str, Any] = {
        "company": company.pk,
        "first": first_day,
        "last": last_day,
        "period": UsageMember.Period.YEAR if years else UsageMember.Period.MONTH,
        "months": years or months,
        "begin": months[0] if months else last_day,
        "end": first_of_next_month(months[-1]) if months else last_day,
        **cover,
        "broken_month": first_of_month(last_day) if is_broken else None,
        "list": within.list_id,
        "cost_centre": within.cost_centre,
        "member": within.member_id,
    }
    where = within_sql(within)
    if within.member_id is not None:
        where += " AND member_id = %(member)s"
    pieces = _Pieces(
        call=not_summed("" if years else summed(_edges(months, first_day, last_day))),
        placed=placed(
            within.list_id is not None or within.cost_centre is not None,
            of_list=bool(within.list_id),
        ),
        stored=_STORED.replace("{broken}", _NOT_BROKEN if is_broken else "") if months else "",
        covered=frozenset(name for name, some in cover.items() if some),
        within=where,
        searched=_searched(search, parameters),
    )
    return parameters, pieces


def _whole_months(first_day: date, last_day: date) -> list[date]:
    """The months that lie wholly in the span, by their first days."""
    month = first_day if first_day.day == 1 else first_of_next_month(first_day)
    months = []
    while first_of_next_month(month) - A_DAY <= last_day:
        months.append(month)
        month = first_of_next_month(month)
    return months


def _cover(months: list[date], today: date) -> dict[str, list[date]]:
    """The fewest sums that make up these months: ``plain`` months, and ``years`` with ``less`` of
    their months. Months to come have no sums and cost nothing.
    """
    plain: list[date] = []
    years: list[date] = []
    less: list[date] = []
    for year, group in groupby(months, key=lambda month: month.year):
        inside = list(group)
        outside = [each for each in _months_of(year) if each not in inside]
        if 1 + sum(each <= today for each in outside) < len(inside):
            years.append(date(year, 1, 1))
            less += outside
        else:
            plain += inside
    return {"plain": plain, "years": years, "less": less}


def _months_of(year: int) -> list[date]:
    return [date(year, month, 1) for month in range(1, 13)]


def _edges(months: list[date], first_day: date, last_day: date) -> str:
    """The condition on summed calls that the sums by month do not tell."""
    if not months:
        return "started_on BETWEEN %(first)s AND %(last)s"
    begin, end = months[0], first_of_next_month(months[-1])
    edges = []
    if first_day < begin:
        edges.append("(started_on >= %(first)s AND started_on < %(begin)s)")
    if end <= last_day:
        edges.append("(started_on >= %(end)s AND started_on <= %(last)s)")
        edges.append(
            "(started_on >= %(begin)s AND started_on < %(end)s AND booked_on >= %(broken_month)s"
            " AND booked_on < %(broken_month)s::date + interval '1 month')"
        )
    return " OR ".join(edges) or "false"


def _searched(search: str, into: dict[str, Any]) -> str:
    """All words, in any order; or a phone number, however it is grouped."""
    words = search_key(search).split()[:MOST_WORDS]
    if not words:
        return ""
    names = {f"word_{place}": word for place, word in enumerate(words)}
    condition = " AND ".join(f"search_text LIKE %({name})s" for name in names)
    digits = phone_digits(search)
    if digits:
        names["digits"] = digits
        condition = f"({condition}) OR search_text LIKE %(digits)s"
    into |= {name: f"%{_literal(word)}%" for name, word in names.items()}
    return _SEARCHED.replace("{condition}", condition)


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _total(
    company: Company,
    first_day: date,
    last_day: date,
    parameters: dict[str, Any],
    pieces: _Pieces,
    within: Within,
) -> Usage:
    if not pieces.searched:
        return usage_total(company, first_day, last_day, within=within)
    query = _TOTAL.format(
        call=pieces.call,
        placed=pieces.placed,
        part=pieces.part(pieces.searched),
        sums=SUMS,
        sums_booked=SUMS_BOOKED,
    )
    row = _rows(query, parameters)[0]
    sums = Measures(*row[:WIDTH]), Measures(*row[WIDTH:])
    return Usage(None, None, "", "", "", *sums)


def _rows(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
