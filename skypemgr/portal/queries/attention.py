"""What needs somebody's attention, each line with the way out beside it.

Its one rule: a line says what is so and what can be done about it; nothing to do, no line.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.forgetting import TOLD_BEFORE
from billing.models import AutoPurchaseRule, PaymentMethod, Purchase
from billing.models.auto_purchase import Outcome, PauseReason
from credit.models import Account, LowBalanceAlert, RechargeRule
from credit.queries.requests import count_open
from members.models import Company, Invitation
from skypemgr.lib.formats import format_date, format_money
from skypemgr.portal.queries.feature_attention import feature_lines
from skypemgr.portal.queries.people import People

EXPIRING_DAYS = 5
DECLINED_DAYS = 14
SHORT_DAYS = 7
# More members than this are not named in an address.
LINKED_MEMBERS = 50

DANGER, WARNING, INFO = "danger", "warning", "info"


@dataclass(frozen=True)
class Attention:
    """One line: what is so; for who may act, what can be done and the action beside it. A page
    that only shows is open to all who read the dashboard.
    """

    kind: str
    icon: str
    title: str
    text: str = ""
    url: str = ""
    action: str = ""
    advice: str = ""
    only_shows: bool = False


@dataclass(frozen=True)
class Situation:
    """What the dashboard already knows when it asks what needs attention."""

    company: Company
    balance: Decimal
    lasts_days: int | None
    members: People
    may_act: bool
    now: datetime


def read_attention(at: Situation) -> list[Attention]:
    """The lines, gravest first; at most thirteen queries."""
    if at.company.state == Company.State.CLOSED:
        # Nothing can be bought, given or renewed any more.
        return list(_state(at))
    lines = [
        *_state(at),
        *_blocked_rules(at),
        *_auto_purchase(at),
        *_expiring(at),
        *_purchases(at),
        *_features(at),
        *_low_balance(at),
        *_requests(at),
        *_suspended_rules(at),
        *_members_without_credit(at),
        *_invitations(at),
    ]
    grave = {DANGER: 0, WARNING: 1, INFO: 2}
    lines.sort(key=lambda line: grave[line.kind])
    if at.may_act:
        return lines
    return [
        replace(line, advice="") if line.only_shows else replace(line, advice="", url="", action="")
        for line in lines
    ]


def _state(at: Situation) -> Iterator[Attention]:
    if at.company.state == Company.State.FROZEN:
        yield Attention(
            DANGER,
            "lock",
            _("Your company is frozen"),
            _("Calls go on; allocations, recharges and purchases stop until it is released."),
        )
    elif at.company.state == Company.State.CLOSED:
        yield Attention(
            DANGER,
            "lock",
            _("Your company is closed"),
            _("Nothing is added any more. Members spend what they have."),
        )


def _blocked_rules(at: Situation) -> Iterator[Attention]:
    waiting = RechargeRule.objects.filter(
        company=at.company, waiting_since__isnull=False, member__accounts__is_due=True
    )
    count = waiting.count()
    if count:
        yield Attention(
            DANGER,
            "alert-triangle",
            ngettext(
                "%(count)s member waits for a recharge",
                "%(count)s members wait for a recharge",
                count,
            )
            % {"count": count},
            _("The company's credit is too low. They are served as soon as it is credited."),
            reverse("buy"),
            _("Buy credit"),
        )


def _auto_purchase(at: Situation) -> Iterator[Attention]:
    rule = AutoPurchaseRule.objects.filter(company=at.company).first()
    page, action = reverse("payment_settings"), _("Payment settings")
    if rule is None or rule.state == AutoPurchaseRule.State.OFF:
        return
    if rule.state == AutoPurchaseRule.State.PAUSED:
        sentences = {
            PauseReason.METHOD_REMOVED: _("What it charged was removed. Choose what pays instead."),
            PauseReason.MANY_CHARGES: _(
                "It charged three times within ten minutes. Look at who spends so fast."
            ),
        }
        last = _("The last charge did not go through. Check the card, then start it again.")
        yield Attention(
            DANGER,
            "player-pause",
            _("The company's auto-recharge is paused"),
            sentences.get(PauseReason(rule.paused_because), last),
            page,
            action,
        )
    elif rule.last_outcome == Outcome.LIMIT_REACHED and rule.next_attempt_at is not None:
        day = at.company.day_at(rule.next_attempt_at)
        yield Attention(
            WARNING,
            "calendar",
            _("The company's auto-recharge has reached its monthly limit"),
            _("It goes on by itself on %(day)s.")
            % {"day": format_date(day, today=at.company.day_at(at.now))},
            page,
            action,
            _("You can raise the limit, or buy credit."),
        )


def _expiring(at: Situation) -> Iterator[Attention]:
    """The card that is offered first, or that auto-recharge charges, if its end is near."""
    today = at.company.day_at(at.now)
    pays = AutoPurchaseRule.objects.filter(company=at.company).exclude(
        state=AutoPurchaseRule.State.OFF
    )
    card = (
        PaymentMethod.objects.filter(
            Q(is_default=True) | Q(pk__in=pays.values("method")),
            company=at.company,
            removed_at=None,
            expires_on__lte=today + TOLD_BEFORE,
        )
        .order_by("expires_on")
        .first()
    )
    if card is None or card.expires_on is None:
        return
    title = _("The card %(card)s expires on %(day)s")
    if card.expires_on < today:
        title = _("The card %(card)s expired on %(day)s")
    yield Attention(
        WARNING,
        "credit-card",
        title % {"card": card.label, "day": format_date(card.expires_on, today=today)},
        "",
        reverse("payment_settings"),
        _("Payment settings"),
        _("Buy credit with its successor once, and let it take over."),
    )


def _purchases(at: Situation) -> Iterator[Attention]:
    last = (
        Purchase.objects.filter(
            company=at.company, created_at__gte=at.now - timedelta(days=DECLINED_DAYS)
        )
        .order_by("-pk")
        .only("amount", "currency", "status", "created_at")
        .first()
    )
    if last is None:
        return
    amount = format_money(last.amount, last.currency)
    page = reverse("purchase", args=(last.pk,))
    if last.status == Purchase.Status.DECLINED:
        yield Attention(
            DANGER,
            "circle-x",
            _("The purchase of %(amount)s was declined") % {"amount": amount},
            _("Nothing was charged."),
            page,
            _("See why"),
            _("Try again or use another card."),
            only_shows=True,
        )
    elif last.status == Purchase.Status.REQUIRES_ACTION:
        yield Attention(
            WARNING,
            "shield-check",
            _("The bank wants you to confirm %(amount)s") % {"amount": amount},
            _("The credit is added once the payment is confirmed."),
            page,
            _("Confirm"),
        )


def _features(at: Situation) -> Iterator[Attention]:
    if at.company.state == Company.State.ACTIVE:
        for line in feature_lines(at.company, at.company.day_at(at.now), at.balance):
            yield Attention(*line)


def _low_balance(at: Situation) -> Iterator[Attention]:
    """One line: below the level that was set, or soon used up."""
    level = (
        LowBalanceAlert.objects.filter(company=at.company, level__gt=at.balance)
        .values_list("level", flat=True)
        .first()
    )
    if level is None:
        yield from _balance(at)
        return
    yield Attention(
        WARNING,
        "wallet",
        _("The company's balance is below %(level)s")
        % {"level": format_money(level, at.company.currency)},
        _pace(at),
        reverse("buy"),
        _("Buy credit"),
    )


def _balance(at: Situation) -> Iterator[Attention]:
    if at.lasts_days is None or at.lasts_days >= SHORT_DAYS:
        return
    yield Attention(
        WARNING,
        "wallet",
        _("The company's balance is low"),
        _pace(at),
        reverse("buy"),
        _("Buy credit"),
    )


def _pace(at: Situation) -> str:
    if at.lasts_days is None:
        return _("You set this level as your low-balance alert.")
    if not at.lasts_days:
        return _("At the pace of the last 30 days it does not last until tomorrow.")
    sentence = ngettext(
        "At the pace of the last 30 days it lasts about %(count)s day.",
        "At the pace of the last 30 days it lasts about %(count)s days.",
        at.lasts_days,
    )
    return sentence % {"count": at.lasts_days}


def _requests(at: Situation) -> Iterator[Attention]:
    count = count_open(at.company)
    if count:
        yield Attention(
            WARNING,
            "coins",
            ngettext("%(count)s member asks for credit", "%(count)s members ask for credit", count)
            % {"count": count},
            "",
            reverse("requests"),
            _("Answer"),
            _("Approve with one click, or decline with a word."),
        )


def _suspended_rules(at: Situation) -> Iterator[Attention]:
    suspended = Account.objects.filter(
        company=at.company,
        member__isnull=False,
        recharge_resumes_on__gt=at.company.day_at(at.now),
    ).aggregate(
        count=Count("member"), until=Max("recharge_resumes_on"), members=ArrayAgg("member_id")
    )
    if not suspended["count"]:
        return
    title = ngettext(
        "%(count)s auto-recharge is suspended until %(day)s",
        "%(count)s auto-recharges are suspended until %(day)s",
        suspended["count"],
    )
    yield Attention(
        INFO,
        "refresh",
        title
        % {
            "count": suspended["count"],
            "day": format_date(suspended["until"], today=at.company.day_at(at.now)),
        },
        _("Their monthly limit is reached."),
        _rules_page(suspended["members"]),
        _("Manage auto-recharge"),
        _("You can raise it or allocate credit."),
    )


def _rules_page(member_ids: list[int]) -> str:
    if len(member_ids) == 1:
        return reverse("member_recharge", args=member_ids)
    if len(member_ids) > LINKED_MEMBERS:
        return f"{reverse('members')}?rule=suspended"
    query = urlencode({"member": sorted(member_ids)}, doseq=True)
    return f"{reverse('recharge_many')}?{query}"


def _members_without_credit(at: Situation) -> Iterator[Attention]:
    count = at.members.without_credit
    if not count or at.members.count <= 1:
        return
    yield Attention(
        INFO,
        "users",
        ngettext("%(count)s member has no credit", "%(count)s members have no credit", count)
        % {"count": count},
        _("They cannot call until they are given some."),
        f"{reverse('members')}?sort=balance",
        _("Allocate credit"),
    )


def _invitations(at: Situation) -> Iterator[Attention]:
    soon = at.now + timedelta(days=EXPIRING_DAYS)
    pending = Invitation.objects.filter(
        company=at.company, status=Invitation.Status.PENDING
    ).aggregate(
        expiring=Count("pk", filter=Q(expires_at__gt=at.now, expires_at__lte=soon)),
        expired=Count("pk", filter=Q(expires_at__lte=at.now)),
    )
    for count, title in (
        (
            pending["expiring"],
            ngettext(
                "%(count)s invitation expires within five days",
                "%(count)s invitations expire within five days",
                pending["expiring"],
            ),
        ),
        (
            pending["expired"],
            ngettext(
                "%(count)s invitation has expired unanswered",
                "%(count)s invitations have expired unanswered",
                pending["expired"],
            ),
        ),
    ):
        if count:
            yield Attention(
                INFO,
                "mail",
                title % {"count": count},
                "",
                reverse("invitations"),
                _("Pending invitations"),
            )
