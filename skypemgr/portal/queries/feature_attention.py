"""What of the company's features needs somebody's attention. Its one rule: nothing is lost of which
the dashboard has not told.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Max, Min, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.features.kinds import looks_of
from billing.features.periods import grace_end
from billing.features.upcoming import sum_alike
from billing.models import FeatureKind, Subscription
from members.models import Company
from skypemgr.lib.formats import format_date, format_money

SOON = timedelta(days=7)
ENDING = timedelta(days=14)

# As the fields of Attention: kind, icon, title, text, url, action.
Line = tuple[str, str, str, str, str, str]


def feature_lines(company: Company, today: date, balance: Decimal) -> Iterator[Line]:
    """Features that could not be paid, else renewals of the next seven days that the balance does
    not cover; then numbers that end soon. At most five queries.
    """
    unpaid = list(_unpaid(company, today))
    yield from unpaid or _short(company, today, balance)
    yield from _ending_numbers(company, today)


def _unpaid(company: Company, today: date) -> Iterator[Line]:
    is_number = Q(kind=FeatureKind.NUMBER)
    failed = Subscription.objects.filter(
        company=company, charge_on__isnull=False, last_failed_on__isnull=False
    ).aggregate(
        count=Count("pk"),
        number=Min("paid_until", filter=is_number),
        other=Min("paid_until", filter=~is_number),
    )
    if not failed["count"]:
        return
    # No other kind has the grace of numbers.
    ends = [
        grace_end(kind, day)
        for kind, day in (
            (FeatureKind.NUMBER, failed["number"]),
            (FeatureKind.VOICEMAIL, failed["other"]),
        )
        if day is not None
    ]
    yield (
        "danger",
        "alert-triangle",
        ngettext(
            "%(count)s feature could not be renewed",
            "%(count)s features could not be renewed",
            failed["count"],
        )
        % {"count": failed["count"]},
        _("The company's credit is too low. The first is lost on %(day)s.")
        % {"day": format_date(min(ends), today=today)},
        f"{reverse('renewals')}?show=unpaid",
        _("See which"),
    )


def _short(company: Company, today: date, balance: Decimal) -> Iterator[Line]:
    soon = Subscription.objects.filter(company=company, charge_on__lte=today + SOON)
    total = sum_alike(company, soon).total
    if total <= balance:
        return
    yield (
        "warning",
        "calendar",
        _("%(amount)s are missing for renewals of the next seven days")
        % {"amount": format_money(total - balance, company.currency)},
        _("They cost %(total)s. What is not paid in time is lost.")
        % {"total": format_money(total, company.currency)},
        reverse("buy"),
        _("Buy credit"),
    )


def _ending_numbers(company: Company, today: date) -> Iterator[Line]:
    ending = Subscription.objects.filter(
        company=company,
        kind=FeatureKind.NUMBER,
        status__in=Subscription.OPEN,
        renews=False,
        paid_until__gt=today,
        paid_until__lte=today + ENDING,
    ).aggregate(count=Count("pk"), until=Max("paid_until"))
    if not ending["count"]:
        return
    yield (
        "info",
        "hash",
        ngettext(
            "%(count)s number ends by %(day)s",
            "%(count)s numbers end by %(day)s",
            ending["count"],
        )
        % {"count": ending["count"], "day": format_date(ending["until"], today=today)},
        _("Whoever wants to keep one takes the cancel back, or changes its plan, before that day."),
        reverse("features_of_kind", args=(looks_of(FeatureKind.NUMBER).slug,)),
        _("See the numbers"),
    )
