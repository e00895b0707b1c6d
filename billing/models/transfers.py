"""Bank transfers that are awaited, and what the bank says arrived.

Its one rule: a line of a statement is stored once, however often it is imported, and pays at most
one awaited transfer; an awaited transfer is paid once.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.purchases import Purchase
from members.models import User
from skypemgr.lib.periods import utc_now


class BankStatement(models.Model):
    """One file of a bank, as it was imported; money that went out is counted and not kept."""

    name = models.CharField(_("file"), max_length=200)
    imported_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    stored_count = models.PositiveIntegerField(_("new lines"), default=0)
    already_count = models.PositiveIntegerField(_("already there"), default=0)
    ignored_count = models.PositiveIntegerField(_("money out, left aside"), default=0)
    refused_count = models.PositiveIntegerField(_("not readable"), default=0)
    created_at = models.DateTimeField(default=utc_now)

    class Meta:
        verbose_name = _("bank statement")
        verbose_name_plural = _("bank statements")

    def __str__(self) -> str:
        return self.name


class BankStatementLine(models.Model):
    """Money that arrived: day, amount, currency, and all that the bank writes about it.

    The same content is counted within its file (``occurrence``), so that two equal payments are
    two lines and one payment in two files is one. ``purchase`` is what it paid or is about,
    ``suggested`` what it may have been meant for; ``reason`` says why it waits.
    """

    class State(models.TextChoices):
        NEW = "new", _("To be looked at")
        MATCHED = "matched", _("Being credited")
        SETTLED = "settled", _("Credited")
        WAITING = "waiting", _("Waits for a decision")
        RETURNED = "returned", _("To be sent back")
        SET_ASIDE = "set_aside", _("Not about a purchase")

    class Reason(models.TextChoices):
        NONE = "", "–"
        NO_REFERENCE = "no_reference", _("No reference")
        UNKNOWN_REFERENCE = "unknown_reference", _("The reference is wrong or unknown")
        SEVERAL = "several_references", _("References of several purchases")
        AMOUNT_DIFFERS = "amount_differs", _("Another amount than expected")
        CURRENCY_DIFFERS = "currency_differs", _("Another currency than expected")
        ALREADY_PAID = "already_paid", _("The purchase is already paid")
        ENDED = "ended", _("The purchase has expired")

    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    occurrence = models.PositiveIntegerField()
    received_on = models.DateField(_("day"))
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3)
    label = models.TextField(_("label"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.NEW)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, blank=True, default="")
    purchase = models.ForeignKey(
        Purchase, null=True, blank=True, on_delete=models.PROTECT, related_name="bank_lines"
    )
    suggested = models.ForeignKey(
        Purchase, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField(blank=True)
    created_at = models.DateTimeField(default=utc_now)

    class Meta:
        verbose_name = _("line of a bank statement")
        verbose_name_plural = _("lines of bank statements")
        constraints = (
            models.UniqueConstraint(
                "content_hash", "occurrence", name="bank_statement_line_stored_once"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="bank_statement_line_amount_positive"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("matched", "settled")) | Q(purchase__isnull=False),
                name="bank_statement_line_settles_a_purchase",
            ),
        )
        indexes = (
            models.Index(
                fields=("id",),
                condition=Q(state__in=("new", "matched")),
                name="bank_line_unfinished",
            ),
            models.Index(fields=("-id",), condition=Q(state="waiting"), name="bank_line_waiting"),
        )

    def __str__(self) -> str:
        return f"{self.received_on} {self.amount:f} {self.currency}"


class BankTransfer(models.Model):
    """One awaited transfer: the gateway's memory, as a real gateway would keep its own.

    The payer is asked to pay by ``pay_by``; it closes some days later (``closes_at``), since
    statements come late. ``received_on`` and ``received_amount`` are what arrived, ``line`` the
    line of the statement that said so; without one the operator did (``is_by_hand``).
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Awaited")
        SUCCEEDED = "succeeded", _("Received")
        EXPIRED = "expired", _("Expired")

    idempotency_key = models.CharField(max_length=100, unique=True)
    payment_reference = models.CharField(_("reference"), max_length=30, unique=True)
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(_("state"), max_length=10, choices=Status, default=Status.PENDING)
    pay_by = models.DateField(_("to be paid by"))
    closes_at = models.DateTimeField()
    received_on = models.DateField(_("received on"), null=True, blank=True)
    received_amount = models.DecimalField(
        _("received"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    line = models.OneToOneField(
        BankStatementLine, null=True, blank=True, on_delete=models.PROTECT, related_name="pays"
    )
    is_by_hand = models.BooleanField(_("by hand"), default=False)
    settled_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=utc_now)

    class Meta:
        verbose_name = _("awaited bank transfer")
        verbose_name_plural = _("awaited bank transfers")
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    status="succeeded",
                    received_on__isnull=False,
                    received_amount__isnull=False,
                    settled_at__isnull=False,
                )
                | (
                    ~Q(status="succeeded")
                    & Q(received_on=None, received_amount=None, settled_at=None, line=None)
                ),
                name="bank_transfer_received_on_a_day",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="bank_transfer_amount_positive"),
        )
        indexes = (
            models.Index(
                fields=("pay_by",), condition=Q(status="pending"), name="bank_transfer_awaited"
            ),
            models.Index(fields=("settled_at",), name="bank_transfer_settled"),
        )

    def __str__(self) -> str:
        return self.payment_reference
