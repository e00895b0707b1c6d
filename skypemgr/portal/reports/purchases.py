"""What the company bought. Its one rule: a row is a transfer into the company's purse, so that the
net amounts are those of the ledger.
"""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from credit.models import Transfer
from members.models import Company
from skypemgr.portal.reports.base import (
    ZERO,
    Column,
    Filters,
    Report,
    Row,
    choose_sort,
    read_versions,
)
from skypemgr.portal.spans import Span

TITLE = _("Purchases")
COLUMNS = (
    Column("day", _("Date"), "day"),
    Column("purchase", _("Purchase number")),
    Column("method", _("Payment method"), shown_from="tablet"),
    Column("by", _("Bought by"), shown_from="wide"),
    Column("automatic", _("Auto-recharge"), "flag", shown_from="wide"),
    Column("net", _("Net"), "money"),
    Column("vat", _("VAT"), "money", shown_from="wide"),
    Column("total", _("Total"), "money"),
)
SORTS = {
    "day": "destination_version",
    "purchase": "purchase__pk",
    "method": "purchase__method_label",
    "by": "purchase__made_by__name_key",
    "net": "amount",
    "total": "paid_total",
}


def read_purchases(company: Company, span: Span, filters: Filters) -> Report:
    """The purchases credited in the span, the first one first. Three queries, one more a page."""
    versions = read_versions(company, span)
    found = Transfer.objects.filter(versions.within("destination"), kind=Transfer.Kind.PURCHASE)
    sums = found.aggregate(
        count=Count("pk"),
        net=Sum("amount", default=ZERO),
        vat=Sum("purchase__vat_amount", default=ZERO),
        total=Sum(Coalesce("purchase__total", "amount"), default=ZERO),
    )
    sort = choose_sort(filters.sort, tuple(SORTS), "day")
    order = ("-" if sort.startswith("-") else "") + SORTS[sort.removeprefix("-")]
    with_total = found.annotate(paid_total=Coalesce("purchase__total", "amount"))
    rows = with_total.order_by(order, "destination_version").values_list(
        "booked_on",
        "purchase__pk",
        "purchase__method_label",
        "purchase__made_by__name",
        Coalesce("purchase__is_automatic", False),
        "amount",
        Coalesce("purchase__vat_amount", Decimal(0)),
        "paid_total",
    )

    def read(offset: int, limit: int) -> Sequence[Row]:
        return list(rows[offset : offset + limit])

    return Report(
        name="purchases",
        title=TITLE,
        columns=COLUMNS,
        count=sums.pop("count"),
        totals=sums,
        read=read,
        sorts=tuple(SORTS),
        sort=sort,
    )
