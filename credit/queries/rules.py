"""What saving an auto-recharge rule would do now, and what rules did.

Its one rule: it computes with the function that the evaluation itself uses; nothing is moved.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from credit.accounts import purse_of_company
from credit.models import RechargeOutcome, RechargeRule
from credit.money import ZERO
from credit.recharge import month_totals
from credit.recharge_plan import plan_recharge
from members.models import Company, Member
from skypemgr.lib.periods import first_of_month

LATEST_OUTCOMES = 20


@dataclass(frozen=True, slots=True)
class RulePreview:
    """What evaluating the rule at this moment would do for ``count`` active members.

    ``paid`` is the sum that would move, to ``recharged_count`` members; ``unpaid_count`` have to
    wait for company credit, ``used_up_count`` have used the month's limit. ``company_after`` is
    what the company has then; ``balance_after`` what the last member has, who may be the only one.
    """

    count: int
    paid: Decimal
    recharged_count: int
    unpaid_count: int
    used_up_count: int
    company_after: Decimal
    balance_after: Decimal


def preview_rule(
    company: Company,
    member_ids: Iterable[int],
    *,
    amount: Decimal,
    threshold: Decimal,
    monthly_limit: Decimal,
    today: date,
) -> RulePreview:
    """What saving these three values for the members would do now; three queries."""
    active = list(
        Member.objects.filter(company=company, pk__in=list(member_ids), status=Member.Status.ACTIVE)
        .order_by("pk")
        .values_list("accounts__id", "accounts__balance")
    )
    used = month_totals([account for account, _balance in active if account], today)
    month = first_of_month(today)
    available = _company_available(company)
    paid, recharged, unpaid, used_up, last_balance = ZERO, 0, 0, 0, ZERO
    for account, balance in active:
        left = monthly_limit - (used.get((account, month), ZERO) if account else ZERO)
        plan = plan_recharge(
            balance=balance or ZERO,
            threshold=threshold,
            amount=amount,
            limit_left=left,
            company_available=available,
        )
        available -= plan.paid
        paid += plan.paid
        recharged += plan.paid > 0
        unpaid += plan.is_unpaid
        used_up += left <= 0
        last_balance = (balance or ZERO) + plan.paid
    return RulePreview(
        count=len(active),
        paid=paid,
        recharged_count=recharged,
        unpaid_count=unpaid,
        used_up_count=used_up,
        company_after=available,
        balance_after=last_balance,
    )


def read_outcomes(rule: RechargeRule) -> list[RechargeOutcome]:
    """The latest changes of the rule's outcome, newest first; one query."""
    return list(rule.outcomes.order_by("-pk")[:LATEST_OUTCOMES])


def _company_available(company: Company) -> Decimal:
    purse = purse_of_company(company).first()
    return purse.available if purse else ZERO
