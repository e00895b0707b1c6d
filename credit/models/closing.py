"""Closed months. Its one rule: what stands here is never changed."""

from django.db import models
from django.db.models import Q

from members.models import Company


class MonthClosing(models.Model):
    """The figures of one month of a company, by day of booking, frozen for ever.

    ``month`` is its first day. ``figures`` is what ``credit.closing`` read, amounts as text with 4
    decimals; ``digest`` is the SHA-256, in hexadecimal, of the digest of the month closed before
    and of them. Balances are those of the company's purse and of all members' purses together, in
    the company's currency.
    """

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="month_closings", db_index=False
    )
    month = models.DateField()
    company_opening = models.DecimalField(max_digits=18, decimal_places=4)
    company_closing = models.DecimalField(max_digits=18, decimal_places=4)
    members_opening = models.DecimalField(max_digits=18, decimal_places=4)
    members_closing = models.DecimalField(max_digits=18, decimal_places=4)
    figures = models.JSONField()
    digest = models.CharField(max_length=64)
    closed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint("company", "month", name="month_closed_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="month_closing_of_a_month"),
            models.CheckConstraint(
                condition=Q(company_closing__gte=0, members_closing__gte=0),
                name="month_closing_not_negative",
            ),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
