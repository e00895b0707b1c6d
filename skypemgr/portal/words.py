"""Movements and rules told in words. Its one rule: said the same on every page of the portal."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from credit.models import Transfer
from credit.rules import RuleStatus
from skypemgr.lib.formats import format_date, format_duration, format_money
from skypemgr.portal.queries.movements import Movement

Kind = Transfer.Kind

ICONS: dict[str, str] = {
    Kind.PURCHASE: "credit-card",
    Kind.ALLOCATION: "arrow-up-right",
    Kind.AUTO_RECHARGE: "refresh",
    Kind.CALL: "phone-outgoing",
    Kind.FEATURE: "star",
    Kind.ADJUSTMENT: "adjustments",
    Kind.REVERSAL: "arrow-left",
}


@dataclass(frozen=True)
class Line:
    """One line of a feed, as it is drawn; ``tone`` is the colour of its kind."""

    icon: str
    tone: str
    title: str
    text: str
    amount: Decimal
    day: date
    day_words: str
    at: datetime | None


TONES: dict[str, str] = {
    Kind.PURCHASE: "purchases",
    Kind.ALLOCATION: "allocation",
    Kind.AUTO_RECHARGE: "recharge",
    Kind.CALL: "calls",
    Kind.FEATURE: "features",
}


def tell_company_movements(movements: list[Movement], today: date) -> list[Line]:
    """The company's feed."""
    return [_line(item, today, _company_title(item), _company_text(item)) for item in movements]


def tell_list_movements(movements: list[Movement], today: date) -> list[Line]:
    """The feed of a list: sums of days."""
    return [_line(item, today, _sum_title(item), "") for item in movements]


def tell_member_movements(movements: list[Movement], today: date) -> list[Line]:
    """A member's feed as administrators and finance see it."""
    return [_line(item, today, _own_title(item), _text_for_others(item)) for item in movements]


def tell_own_movements(movements: list[Movement], today: date) -> list[Line]:
    """A member's own feed."""
    return [_line(item, today, _own_title(item), _own_text(item)) for item in movements]


def tell_rule(status: RuleStatus | None, currency: str, today: date) -> str:
    """The member's rule in one sentence, with what is left and until when; empty without a rule."""
    if status is None or status.state == "off":
        return ""
    rule = status.rule
    names = {
        "amount": format_money(rule.amount, currency),
        "threshold": format_money(rule.threshold, currency),
        "limit": format_money(rule.monthly_limit, currency),
        "left": format_money(status.left_this_month, currency),
        "day": format_date(status.resumes_on, today=today),
    }
    if status.state == "suspended":
        return (
            _(
                "Recharged with %(amount)s when below %(threshold)s. This month's limit of "
                "%(limit)s is reached: it starts again on %(day)s."
            )
            % names
        )
    return (
        _(
            "Recharged with %(amount)s when below %(threshold)s, at most %(limit)s a month; "
            "%(left)s left until %(day)s."
        )
        % names
    )


def _day_words(day: date, today: date) -> str:
    if day == today:
        return _("today")
    if day == today - timedelta(days=1):
        return _("yesterday")
    return format_date(day, today=today)


def _line(item: Movement, today: date, title: str, text: str) -> Line:
    return Line(
        icon=ICONS[item.kind],
        tone=TONES.get(item.kind, "other"),
        title=title,
        text=text,
        amount=item.amount,
        day=item.day,
        day_words=_day_words(item.day, today),
        at=item.at,
    )


def _company_title(item: Movement) -> str:
    if item.kind == Kind.CALL:
        return _calls_title(item.count)
    if item.kind == Kind.ALLOCATION:
        return _to_members(
            item,
            _("Allocation to %(name)s"),
            ngettext(
                "Allocation to %(count)s member", "Allocation to %(count)s members", item.count
            ),
        )
    if item.kind == Kind.AUTO_RECHARGE:
        return _to_members(
            item,
            _("Auto-recharge of %(name)s"),
            ngettext(
                "Auto-recharge of %(count)s member",
                "Auto-recharge of %(count)s members",
                item.count,
            ),
        )
    return _plain_title(item)


def _to_members(item: Movement, one: str, several: str) -> str:
    return one % {"name": item.member} if item.member else several % {"count": item.count}


def _company_text(item: Movement) -> str:
    if item.kind == Kind.CALL:
        return _("Paid from members' balances")
    if item.kind == Kind.PURCHASE and not item.made_by:
        return _("Automatic")
    return item.made_by


def _sum_title(item: Movement) -> str:
    titles = {
        Kind.ALLOCATION: ngettext("%(count)s allocation", "%(count)s allocations", item.count),
        Kind.AUTO_RECHARGE: ngettext(
            "%(count)s auto-recharge", "%(count)s auto-recharges", item.count
        ),
    }
    if item.kind == Kind.CALL:
        return _calls_title(item.count)
    return titles[Kind(item.kind)] % {"count": item.count}


def _text_for_others(item: Movement) -> str:
    if item.destination:
        return format_duration(item.duration_seconds)
    return _("Automatic") if item.kind == Kind.AUTO_RECHARGE else item.made_by


def _own_title(item: Movement) -> str:
    if item.destination:
        return item.destination
    if item.kind == Kind.CALL:
        return _calls_title(item.count)
    return _plain_title(item)


def _own_text(item: Movement) -> str:
    if item.kind == Kind.AUTO_RECHARGE:
        return _("Your balance fell below the level")
    return item.made_by


def _plain_title(item: Movement) -> str:
    if item.kind == Kind.PURCHASE:
        return _("Credit bought")
    return str(Kind(item.kind).label)


def _calls_title(count: int) -> str:
    return ngettext("%(count)s call", "%(count)s calls", count) % {"count": count}
