"""``dashboard``: its figures for programs. Its one rule: same figures as the page."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from members.api.authentication import ApiRequest
from members.api.base import Door
from skypemgr.lib.periods import utc_now
from skypemgr.lib.rest import AmountSerializerField, require_text
from skypemgr.portal.queries.dashboard import read_board
from skypemgr.portal.queries.overview import Period, Sums
from skypemgr.portal.queries.rankings import Ranking, read_rankings
from skypemgr.portal.scope import read_scope

SCOPE = (
    OpenApiParameter("list", int, description="Only this list, as it was on each day."),
    OpenApiParameter("member", int, description="Only this member."),
)


class FiguresAnswer(serializers.Serializer[Sums]):
    """What was moved in some days, in the company's currency; ``purchased`` is 0 of a list or
    member.
    """

    allocated = AmountSerializerField()
    recharged = AmountSerializerField()
    calls = AmountSerializerField(help_text="What members paid for calls.")
    calls_count = serializers.IntegerField(help_text="How many they paid for.")
    features = AmountSerializerField()
    purchased = AmountSerializerField()


class PeriodAnswer(serializers.Serializer[Any]):
    """Days up to today, and as many of the time before; both days included."""

    name = serializers.ChoiceField(choices=("day", "month", "year"))
    first = serializers.DateField()
    last = serializers.DateField()
    now = FiguresAnswer()
    first_before = serializers.DateField()
    last_before = serializers.DateField()
    before = FiguresAnswer()


class DatedAnswer(FiguresAnswer):
    """The figures of the month or day that begins then."""

    first = serializers.DateField()


class RenewalsAnswer(serializers.Serializer[Any]):
    """What is charged for features within 30 days."""

    count = serializers.IntegerField()
    total = AmountSerializerField()
    next_on = serializers.DateField(allow_null=True)
    unpaid_count = serializers.IntegerField()
    unpaid_total = AmountSerializerField()


class RankedAnswer(serializers.Serializer[Any]):
    """One of the first few."""

    name = serializers.CharField()
    calls = serializers.IntegerField()
    paid = AmountSerializerField()


class RankingAnswer(serializers.Serializer[Any]):
    """Calls that began this month, by what was paid; ``total`` is of all."""

    name = serializers.ChoiceField(choices=("members", "lists", "destinations", "cost_centres"))
    total = AmountSerializerField()
    rows = RankedAnswer(many=True)


class DashboardAnswer(serializers.Serializer[Any]):
    """The company, a list or a member at a glance."""

    today = serializers.DateField()
    currency = serializers.CharField()
    balance = AmountSerializerField()
    lasts_until = serializers.DateField(
        allow_null=True, help_text="The last day that the balance covers; null: over a year."
    )
    pace = AmountSerializerField(help_text="What went out a day, on average of the last 30 days.")
    members = serializers.IntegerField(allow_null=True)
    renewals = RenewalsAnswer()
    periods = PeriodAnswer(many=True)
    months = DatedAnswer(many=True)
    days = DatedAnswer(many=True)
    rankings = RankingAnswer(many=True)


class DashboardDoor(Door):
    """The dashboard."""

    @extend_schema(
        operation_id="dashboard_get", parameters=list(SCOPE), responses={200: DashboardAnswer}
    )
    def get(self, request: ApiRequest) -> Response:
        """Balance with forecast, today, this month and this year beside the time before, twelve
        months, the days of this month, and who and what costs most.
        """
        wanted = {name: require_text(request, name) for name in ("list", "member")}
        scope = read_scope(request.actor.company, wanted)
        board = read_board(scope, viewer=None, now=utc_now())
        overview = board.overview
        return Response(
            {
                "today": board.today.isoformat(),
                "currency": scope.company.currency,
                "balance": _amount(board.balance),
                "lasts_until": board.forecast.until and board.forecast.until.isoformat(),
                "pace": _amount(overview.pace),
                "members": board.people.count if board.people else None,
                "renewals": RenewalsAnswer(asdict(board.renewals)).data,
                "periods": [_period(period) for period in overview.periods],
                "months": [_dated(day, sums) for day, sums in overview.months],
                "days": [_dated(day, sums) for day, sums in overview.month_days],
                "rankings": [_ranking(each) for each in read_rankings(scope, board.today)],
            }
        )


def _amount(value: Decimal) -> str:
    return f"{value:.4f}"


def _period(period: Period) -> dict[str, Any]:
    return {
        "name": period.name,
        "first": period.days[0].isoformat(),
        "last": period.days[1].isoformat(),
        "now": FiguresAnswer(period.now).data,
        "first_before": period.before[0].isoformat(),
        "last_before": period.before[1].isoformat(),
        "before": FiguresAnswer(period.then).data,
    }


def _dated(day: Any, sums: Sums) -> dict[str, Any]:
    return {"first": day.isoformat(), **FiguresAnswer(sums).data}


def _ranking(ranking: Ranking) -> dict[str, Any]:
    return {
        "name": ranking.name,
        "total": _amount(ranking.total),
        "rows": [
            {"name": row.name, "calls": row.calls_count, "paid": _amount(row.amount)}
            for row in ranking.rows
        ],
    }
