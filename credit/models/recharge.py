"""Rules by which members' purses refill. Its one rule: the month's total is the ledger's, keyed
by month; nothing here counts it a second time.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models import Company, Member


class Outcome(models.TextChoices):
    """What the last evaluation of a rule found."""

    NOT_DUE = "not_due", _("Balance is not below the level")
    RECHARGED = "recharged", _("Recharged")
    LIMIT_REACHED = "limit_reached", _("Monthly limit reached")
    COMPANY_CREDIT_TOO_LOW = "company_credit_too_low", _("The company's credit is too low")


class RechargeRule(models.Model):
    """Recharge with ``amount`` when the balance falls below ``threshold``, at most
    ``monthly_limit`` a month. Amounts have 4 decimals, in the company's currency.

    ``waiting_since`` orders rules blocked by the company's lack of credit;
    ``blocked_at_version`` is the company purse's version at which the rule was found blocked.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="recharge_rules")
    member = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="recharge_rule")
    amount = models.DecimalField(
        _("Recharge member's account with"), max_digits=18, decimal_places=4
    )
    threshold = models.DecimalField(_("when balance falls below"), max_digits=18, decimal_places=4)
    monthly_limit = models.DecimalField(
        _("Monthly recharge limit"), max_digits=18, decimal_places=4
    )
    is_on = models.BooleanField(default=True)
    last_outcome = models.CharField(max_length=22, choices=Outcome, blank=True)
    last_outcome_at = models.DateTimeField(null=True, blank=True)
    outcome_since = models.DateTimeField(null=True, blank=True)
    waiting_since = models.DateTimeField(null=True, blank=True)
    blocked_at_version = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(amount__gt=0, threshold__gt=0, monthly_limit__gt=0),
                name="recharge_rule_amounts_positive",
            ),
        )
        indexes = (
            models.Index(
                fields=("company", "waiting_since", "id"),
                condition=Q(waiting_since__isnull=False),
                name="recharge_rule_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} < {self.threshold} ≤ {self.monthly_limit}"


class RechargeOutcome(models.Model):
    """One change of a rule's outcome."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    rule = models.ForeignKey(RechargeRule, on_delete=models.PROTECT, related_name="outcomes")
    outcome = models.CharField(max_length=22, choices=Outcome)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("rule", "-id"), name="recharge_outcome_latest"),)

    def __str__(self) -> str:
        return self.outcome
