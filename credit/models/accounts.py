"""Accounts, transfers and daily totals: the ledger's tables.

Its one rule: ``credit.ledger`` alone writes them. What the code promises the database enforces
too; the composite foreign keys and triggers are in the first migrations.
"""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from members.models import Company, Member

# What each kind of transfer moves, from and to.
MAY_MOVE = (
    "purchase purchases company",
    "allocation company member",
    "auto_recharge company member",
    "call member calls",
    "feature company features",
    "adjustment adjustments company",
    "adjustment adjustments member",
    "adjustment company adjustments",
    "adjustment member adjustments",
    "reversal company purchases",
    "reversal calls member",
    "reversal features company",
)
_PURSES = "'{company,member}'::text[]"


def _sql(condition: str) -> RawSQL:
    """A condition in the database's own words: it reads those of a table anew for each statement,
    and takes three times as long over what Django would write."""
    return RawSQL(condition, (), output_field=models.BooleanField())  # noqa: S611 - constants


def _complete(side: str) -> RawSQL:
    """A purse's side says both what was left and the version; any other side says neither."""
    return _sql(
        f"num_nonnulls({side}_balance_after, {side}_version)"
        f" = CASE WHEN {side}_kind = ANY ({_PURSES}) THEN 2 ELSE 0 END"
        f" AND {side}_balance_after >= 0"
    )


class Account(models.Model):
    """Where credit sits. Only purses (company, member) carry a balance.

    ``held`` is set aside for calls in progress; available = balance − held. ``version`` counts
    the purse's transfers. ``month_spent`` is what calls took in the month of ``last_booked_on``: in
    a later month it counts for nothing. ``recharge_below`` is set while a rule is on;
    ``recharge_resumes_on`` is the day on which a suspended rule starts again. ``alert_below`` is
    the company's low-balance alert, looked at up to ``alert_looked_version`` of its purse. Amounts
    have 4 decimals.
    """

    class Kind(models.TextChoices):
        COMPANY = "company", _("company")
        MEMBER = "member", _("member")
        PURCHASES = "purchases", _("purchases")
        CALLS = "calls", _("calls")
        FEATURES = "features", _("features")
        ADJUSTMENTS = "adjustments", _("adjustments")

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="accounts")
    kind = models.CharField(max_length=11, choices=Kind)
    member = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="accounts"
    )
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=18, decimal_places=4, default=Decimal(0))
    held = models.DecimalField(max_digits=18, decimal_places=4, default=Decimal(0))
    version = models.BigIntegerField(default=0)
    last_booked_on = models.DateField(null=True, blank=True)
    month_spent = models.DecimalField(
        max_digits=18, decimal_places=4, default=Decimal(0), db_default=Decimal(0)
    )
    recharge_below = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    recharge_resumes_on = models.DateField(null=True, blank=True)
    is_due = models.GeneratedField(
        expression=models.Case(
            models.When(
                Q(balance__lt=F("recharge_below"), recharge_resumes_on=None),
                then=models.Value(True),
            ),
            default=models.Value(False),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    alert_below = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    alert_looked_version = models.BigIntegerField(null=True, blank=True)
    is_unlooked = models.GeneratedField(
        expression=models.Case(
            models.When(Q(version__gt=F("alert_looked_version")), then=models.Value(True)),
            default=models.Value(False),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(balance__gte=0), name="account_purse_not_negative"),
            models.CheckConstraint(
                condition=Q(held__gte=0) & (Q(held__lte=F("balance")) | Q(balance__lt=0)),
                name="account_held_within_balance",
            ),
            models.CheckConstraint(
                condition=_sql(
                    f"kind = ANY ({_PURSES})"
                    " OR (balance = 0 AND held = 0 AND version = 0 AND recharge_below IS NULL)"
                ),
                name="account_only_purses_carry_balance",
            ),
            models.CheckConstraint(
                condition=_sql("(kind = 'member') = (member_id IS NOT NULL)"),
                name="account_member_only_for_members",
            ),
            models.CheckConstraint(
                condition=Q(alert_below=None, alert_looked_version=None)
                | Q(kind="company", alert_below__gt=0, alert_looked_version__isnull=False),
                name="account_alert_only_of_companies",
            ),
            models.UniqueConstraint(
                "company", "kind", condition=Q(member=None), name="account_one_of_each_kind"
            ),
            models.UniqueConstraint("member", name="account_one_per_member"),
            models.UniqueConstraint(
                "id", "company", "currency", "kind", name="account_for_transfers"
            ),
        )
        indexes = (
            models.Index(
                fields=("company", "id"), condition=Q(is_due=True), name="account_due_purses"
            ),
            models.Index(
                fields=("recharge_resumes_on",),
                condition=Q(recharge_resumes_on__isnull=False),
                name="account_resuming_purses",
            ),
            models.Index(
                fields=("company", "recharge_resumes_on"),
                include=("member",),
                condition=Q(recharge_resumes_on__isnull=False),
                name="account_resuming_of_company",
            ),
            models.Index(
                fields=("company",), condition=Q(is_unlooked=True), name="account_unlooked_purses"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def available(self) -> Decimal:
        """What may be spent now: balance − held."""
        return self.balance - self.held


class Transfer(models.Model):
    """One movement from a source to a destination account; never changed, never deleted.

    ``booked_on`` is the company's day of the posting. ``occurred_at`` is information (start of a
    call). For each side that is a purse the row says the balance after it and that account's
    version; the other side's columns are null.
    """

    class Kind(models.TextChoices):
        PURCHASE = "purchase", _("Purchase")
        ALLOCATION = "allocation", _("Allocation")
        AUTO_RECHARGE = "auto_recharge", _("Auto-recharge")
        CALL = "call", _("Call")
        FEATURE = "feature", _("Feature")
        ADJUSTMENT = "adjustment", _("Adjustment")
        REVERSAL = "reversal", _("Reversal")

    # The composite keys of migration 0002 tie the row to its company; a second check of the company
    # row at each insert would only make every posting touch it.
    company = models.ForeignKey(
        Company,
        on_delete=models.PROTECT,
        related_name="transfers",
        db_constraint=False,
        db_index=False,
    )
    kind = models.CharField(max_length=13, choices=Kind)
    source = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    source_kind = models.CharField(max_length=11)
    destination = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    destination_kind = models.CharField(max_length=11)
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    key = models.CharField(max_length=200)
    booked_on = models.DateField()
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()
    actor = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    source_balance_after = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    source_version = models.BigIntegerField(null=True)
    destination_balance_after = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    destination_version = models.BigIntegerField(null=True)
    reverses = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_positive"),
            models.CheckConstraint(
                condition=~Q(source=F("destination")), name="transfer_between_two_accounts"
            ),
            models.UniqueConstraint("company", "key", name="transfer_key_unique"),
            models.UniqueConstraint(
                "source",
                "source_version",
                condition=Q(source_version__isnull=False),
                name="transfer_source_chain",
            ),
            models.UniqueConstraint(
                "destination",
                "destination_version",
                condition=Q(destination_version__isnull=False),
                name="transfer_destination_chain",
            ),
            models.CheckConstraint(
                condition=_sql(
                    "kind || ' ' || source_kind || ' ' || destination_kind"
                    f" = ANY ('{{{', '.join(MAY_MOVE)}}}'::text[])"
                ),
                name="transfer_kind_moves_where_it_may",
            ),
            models.CheckConstraint(
                condition=_sql("(kind = 'reversal') = (reverses_id IS NOT NULL)"),
                name="transfer_only_reversals_reverse",
            ),
            models.CheckConstraint(
                condition=_complete("source"),
                name="transfer_source_side_complete",
            ),
            models.CheckConstraint(
                condition=_complete("destination"),
                name="transfer_destination_side_complete",
            ),
        )
        indexes = (
            models.Index(fields=("company", "-id"), name="transfer_latest"),
            models.Index(
                fields=("reverses",),
                condition=Q(reverses__isnull=False),
                name="transfer_reversals",
            ),
            # Few rows: what left a member's purse other than by a call. A statement that tells
            # calls by the day finds them without reading the calls.
            models.Index(
                fields=("source", "source_version"),
                condition=Q(source_kind="member") & ~Q(kind="call"),
                name="transfer_member_other_out",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"


class DailyTotal(models.Model):
    """What moved in and out of one purse on one day, by kind of transfer.

    Written by the posting in the same transaction. Amounts have 4 decimals, ``moves_count`` counts
    transfers. ``is_rolled``: as it stands it is part of the day's rolled totals; a posting that
    changes it takes that back.
    """

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    kind = models.CharField(max_length=13, choices=Transfer.Kind)
    incoming = models.DecimalField(max_digits=18, decimal_places=4)
    outgoing = models.DecimalField(max_digits=18, decimal_places=4)
    moves_count = models.IntegerField()
    is_rolled = models.BooleanField(db_default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint("account", "day", "kind", name="daily_total_unique"),
        )
        indexes = (
            models.Index(fields=("company", "day"), name="daily_total_by_day"),
            models.Index(
                fields=("company", "day"),
                condition=Q(is_rolled=False),
                name="daily_total_not_rolled",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.day} {self.kind}"
