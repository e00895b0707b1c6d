"""Closing a company for good.

Its one rule: nothing is taken away. It is refused while something is on its way in or lies in the
company's balance; rules, invitations and requests end, members keep and spend what they have.
Lock order: imports, requests, auto-recharge of the company, company, features, rules, purses.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from billing.auto_rules import end_rule
from billing.auto_state import lock_rule
from billing.errors import ClosingRefused
from billing.features.changing import end_renewals
from billing.models import AutoPurchaseRule, Purchase, Subscription
from credit.accounts import company_balance
from credit.credit_requests import end_requests, hold_requests
from credit.ledger import atomically
from credit.models import Account, CreditRequest, Hold, RechargeRule
from credit.money import ZERO
from credit.standing import end_rules
from members.actors import Actor
from members.audit import record
from members.errors import CompanyNotActive
from members.importing import stop_imports
from members.invitation_upkeep import end_invitations
from members.models import Company, Invitation, Member
from members.models.people import PRESENT
from members.notices import NoticeKind, tell_administrators
from members.standing import lock_company, set_state
from skypemgr.lib import live
from skypemgr.lib.formats import format_money
from skypemgr.lib.periods import utc_now

State = Company.State


@dataclass(frozen=True, slots=True)
class ClosingPreview:
    """What will happen if the company is closed; nothing is reserved. Amounts in its currency.

    ``members_balance`` stays with the members. ``refusals`` are what the verb would refuse now, in
    its order.
    """

    members_count: int
    members_balance: Decimal
    company_balance: Decimal
    rules_count: int
    requests_count: int
    invitations_count: int
    features_count: int
    has_auto_purchase: bool
    refusals: list[ClosingRefused]


def close_company(*, actor: Actor, now: datetime | None = None) -> Company:
    """The company is closed for good: nothing is bought, allocated, recharged or invited any more.
    Members keep and spend what they have; administrators and finance still read everything.

    Raises NotAllowed, CompanyNotActive for administrators of a frozen company, Conflict
    (``company_closed``), ClosingRefused (``calls_in_progress``, ``purchase_open``,
    ``company_has_credit``).
    """
    actor.require_administrator()
    instant = now or utc_now()

    def work() -> Company:
        stop_imports(actor.company.pk, now=instant)
        hold_requests(actor.company.pk)
        auto_purchase = lock_rule(actor.company.pk)
        company = lock_company(actor.company.pk)
        if company.state == State.FROZEN and not actor.is_system:
            raise CompanyNotActive(
                _("Your company is frozen. Contact the operator of this service."),
                code="company_frozen",
            )
        set_state(company, State.CLOSED, before=(State.ACTIVE, State.FROZEN))
        features_count = end_renewals(company.pk)
        # All purses are locked from here on: what opens a hold or moves credit came before.
        rules_count = end_rules(company.pk, instant)
        for refusal in _refusals(company):
            raise refusal
        record(
            actor,
            "close_company",
            subject=f"company:{company.pk}",
            rules_count=rules_count,
            requests_count=end_requests(actor, now=instant),
            invitations_count=end_invitations(company.pk, now=instant),
            features_count=features_count,
            had_auto_purchase=auto_purchase is not None and end_rule(auto_purchase),
        )
        tell_administrators(
            company,
            NoticeKind.COMPANY_CLOSED,
            key="company_closed",
            name=actor.member.name if actor.member else "",
            url="/",
        )
        live.bump(company.pk)
        return company

    return atomically(work)


def preview_closing(actor: Actor) -> ClosingPreview:
    """What ``close_company`` would do now. A fixed number of queries; raises NotAllowed."""
    actor.require_administrator()
    company = actor.company
    purses = Account.objects.filter(company=company, kind=Account.Kind.MEMBER)
    rule = AutoPurchaseRule.objects.filter(company=company)
    return ClosingPreview(
        members_count=Member.objects.filter(company=company, status__in=PRESENT).count(),
        members_balance=purses.aggregate(sum=Sum("balance"))["sum"] or ZERO,
        company_balance=company_balance(company),
        rules_count=RechargeRule.objects.filter(company=company, is_on=True).count(),
        requests_count=CreditRequest.objects.filter(
            company=company, status=CreditRequest.Status.OPEN
        ).count(),
        invitations_count=Invitation.objects.filter(
            company=company, status=Invitation.Status.PENDING
        ).count(),
        features_count=Subscription.objects.filter(
            company=company, renews=True, status__in=Subscription.OPEN
        ).count(),
        has_auto_purchase=rule.exclude(state=AutoPurchaseRule.State.OFF).exists(),
        refusals=_refusals(company),
    )


def _refusals(company: Company) -> list[ClosingRefused]:
    """Why the company cannot be closed yet, each with what to do."""
    refusals = []
    if Hold.objects.filter(company=company, status=Hold.Status.OPEN).exists():
        refusals.append(
            ClosingRefused(
                _("A call is in progress. Close the company when it has ended."),
                code="calls_in_progress",
            )
        )
    if Purchase.objects.filter(company=company, status__in=Purchase.OPEN).exists():
        refusals.append(
            ClosingRefused(
                _("A purchase is not finished. Complete it, or wait until it has expired."),
                code="purchase_open",
            )
        )
    balance = company_balance(company)
    if balance > 0:
        words = _(
            "The company's balance is %(balance)s and would be lost: nothing is refunded."
            " Allocate it to members first."
        )
        refusals.append(
            ClosingRefused(
                words % {"balance": format_money(balance, company.currency)},
                code="company_has_credit",
            )
        )
    return refusals
