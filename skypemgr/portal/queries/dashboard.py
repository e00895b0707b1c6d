"""All that the dashboard reads. Its one rule: page and API show the same, read with a fixed number
of queries, whatever the company.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from credit.span_figures import LiveDays, read_live_days
from members.call_details import may_show_calls
from members.models import Member
from skypemgr.lib.wide import wide_memory
from skypemgr.portal.queries import figures, movements, people
from skypemgr.portal.queries.forecast import Forecast, Renewals, ScopeAhead, tell_forecast
from skypemgr.portal.queries.overview import Overview, read_overview
from skypemgr.portal.queries.people import People
from skypemgr.portal.scope import Scope
from skypemgr.portal.words import (
    Line,
    tell_company_movements,
    tell_list_movements,
    tell_member_movements,
)

MOVEMENTS_SHOWN = 8
LOWEST_SHOWN = 8
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Board:
    """The figures of a scope now. ``balance`` is the company's, the member's, or what those in the
    list have together; ``people`` is None of a member; ``feed`` the latest movements.
    """

    scope: Scope
    today: date
    balance: Decimal
    overview: Overview
    people: People | None
    forecast: Forecast
    renewals: Renewals
    feed: Sequence[Line]
    shows_calls: bool


def read_board(scope: Scope, *, viewer: Member | None, now: datetime) -> Board:
    """Balance, sums, people, forecast and feed. ``viewer`` reads it; None: a program."""
    with wide_memory():
        return _read_board(scope, viewer, scope.company.day_at(now))


def _read_board(scope: Scope, viewer: Member | None, today: date) -> Board:
    live = None if scope.member else read_live_days(scope.company, list_id=scope.list_id)
    overview = read_overview(scope, today, live=live)
    ahead = ScopeAhead(scope, today)
    told = None if scope.member else people.read_people(scope, today, LOWEST_SHOWN)
    shows_calls = bool(scope.member and viewer and may_show_calls(viewer, scope.member))
    balance, feed = _balance_and_feed(scope, told, today, shows_calls, live)
    # Features are paid from the company's purse alone.
    payer = ahead if scope.is_company else None
    return Board(
        scope=scope,
        today=today,
        balance=balance,
        overview=overview,
        people=told,
        forecast=tell_forecast(balance, overview.pace, today, ahead=payer),
        renewals=ahead.renewals,
        feed=feed,
        shows_calls=shows_calls,
    )


def _balance_and_feed(
    scope: Scope, told: People | None, today: date, shows_calls: bool, live: LiveDays | None
) -> tuple[Decimal, Sequence[Line]]:
    if scope.member:
        purse = movements.read_member_purse(scope.member)
        if shows_calls:
            found = movements.read_shown_movements(scope.member, purse, MOVEMENTS_SHOWN)
        else:
            found = movements.read_member_movements(purse, MOVEMENTS_SHOWN)
        return purse.balance if purse else ZERO, tell_member_movements(found, today)
    if scope.list:
        found = movements.read_list_movements(
            scope.company, scope.list.pk, MOVEMENTS_SHOWN, live=live
        )
        return told.balance if told else ZERO, tell_list_movements(found, today)
    purse = figures.read_company_purse(scope.company)
    found = movements.read_company_movements(scope.company, purse, MOVEMENTS_SHOWN, live=live)
    return purse.balance if purse else ZERO, tell_company_movements(found, today)
