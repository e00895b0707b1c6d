"""What Payment settings shows. Its one rule: it reads, and always starts at the company."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing.auto_rules import RuleStatus
from billing.declines import explain_decline
from billing.forgetting import TOLD_BEFORE
from billing.marks import method_mark
from billing.methods import method_name
from billing.models import AutoPurchaseOutcome, AutoPurchaseRule, PaymentMethod, Purchase
from billing.models.auto_purchase import Outcome, PauseReason
from members.models import Company
from skypemgr.lib.formats import format_date, format_moment
from skypemgr.lib.periods import utc_now

SHOWN_OUTCOMES = 10
_LOOKS = {
    Outcome.PURCHASED: ("good", "check"),
    Outcome.DECLINED: ("bad", "x"),
    Outcome.EXPIRED: ("bad", "hourglass"),
    Outcome.NEEDS_AUTHENTICATION: ("warning", "shield-check"),
    Outcome.METHOD_REMOVED: ("bad", "trash"),
    Outcome.MANY_CHARGES: ("bad", "player-pause"),
}


@dataclass(frozen=True)
class MethodLine:
    """One saved method in the list; the orders are what the arrows beside it make of the list."""

    method: PaymentMethod
    name: str
    mark: SafeString
    expiry: str
    pays: bool
    order_up: str
    order_down: str


@dataclass(frozen=True)
class HistoryLine:
    """One line of the rule's history."""

    title: str
    text: str
    at: datetime
    kind: str
    icon: str
    url: str


def describe_methods(
    company: Company, saved: Sequence[PaymentMethod], rule: AutoPurchaseRule | None
) -> list[MethodLine]:
    """The saved methods as the list shows them."""
    ids = [method.pk for method in saved]
    today = company.day_at(utc_now())
    is_on = rule is not None and rule.state != AutoPurchaseRule.State.OFF
    return [
        MethodLine(
            method=method,
            name=method_name(method),
            mark=method_mark(method),
            expiry=_expiry(method.expires_on, today),
            pays=is_on and rule is not None and rule.method_id == method.pk,
            order_up=_swapped(ids, place - 1),
            order_down=_swapped(ids, place),
        )
        for place, method in enumerate(saved)
    ]


def expires_soon(method: PaymentMethod, today: date) -> bool:
    """Whether the card can be charged for a month at most, or not any more."""
    return method.expires_on is not None and method.expires_on <= today + TOLD_BEFORE


def read_outcomes(rule: AutoPurchaseRule) -> list[HistoryLine]:
    """The latest changes of the rule's outcome, newest first."""
    rows = (
        AutoPurchaseOutcome.objects.filter(company=rule.company_id, rule=rule)
        .exclude(outcome=Outcome.STARTED)
        .select_related("purchase")
        .order_by("-pk")[:SHOWN_OUTCOMES]
    )
    return [_line(row) for row in rows]


def why_it_waits(status: RuleStatus, currency: str) -> str:
    """Why nothing is bought now although the rule is not off; empty if it just watches."""
    rule = status.rule
    if status.state == "stopped":
        return status.stopped
    if status.state == "paused":
        return _why_paused(rule)
    if status.state == "retrying" and rule.next_attempt_at is not None:
        return _("%(reason)s The next attempt is on %(at)s.") % {
            "reason": _last_reason(rule),
            "at": format_moment(rule.next_attempt_at),
        }
    if status.state != "limit_reached":
        return ""
    if rule.last_outcome == Outcome.PURCHASE_LIMIT or rule.next_attempt_at is None:
        return _(
            "Another purchase would pass a limit on purchases of your company. It goes on by "
            "itself when there is room again."
        )
    return _(
        "Another purchase would pass the monthly limit. It goes on by itself on %(day)s; raise "
        "the limit below to go on now."
    ) % {"day": format_date(rule.company.day_at(rule.next_attempt_at))}


def _why_paused(rule: AutoPurchaseRule) -> str:
    if rule.paused_because == PauseReason.METHOD_REMOVED:
        return _("The payment method that it charged was removed.")
    if rule.paused_because == PauseReason.MANY_CHARGES:
        return _(
            "It charged three times within ten minutes and was stopped as a precaution. Look at "
            "who spends so fast before you resume it."
        )
    if rule.paused_because == PauseReason.NOT_AUTHENTICATED:
        return _("The payment was not confirmed at the bank in time.")
    return _last_reason(rule)


def _last_reason(rule: AutoPurchaseRule) -> str:
    declined = (
        Purchase.objects.filter(
            company=rule.company_id, is_automatic=True, status=Purchase.Status.DECLINED
        )
        .order_by("-pk")
        .only("decline_code")
        .first()
    )
    return str(explain_decline(declined.decline_code if declined else ""))


def _line(row: AutoPurchaseOutcome) -> HistoryLine:
    outcome = Outcome(row.outcome)
    kind, icon = _LOOKS.get(outcome, ("neutral", "clock"))
    purchase = row.purchase
    text = ""
    if purchase is not None and outcome == Outcome.DECLINED:
        text = str(explain_decline(purchase.decline_code))
    return HistoryLine(
        title=str(outcome.label),
        text=text,
        at=row.at,
        kind=kind,
        icon=icon,
        url=reverse("purchase", args=[purchase.pk]) if purchase else "",
    )


def _expiry(expires_on: date | None, today: date) -> str:
    if expires_on is None:
        return ""
    if expires_on < today:
        return "expired"
    return "soon" if expires_on <= today + TOLD_BEFORE else "later"


def _swapped(ids: list[int], first: int) -> str:
    """The order in which this one and the next have changed places; empty where there is none."""
    if first < 0 or first + 1 >= len(ids):
        return ""
    swapped = [*ids[:first], ids[first + 1], ids[first], *ids[first + 2 :]]
    return ",".join(str(pk) for pk in swapped)
