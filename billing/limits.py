"""How much a company may buy: at once, each way in a month, and by its own limit.

Its one rule: what is paid and what is being paid count, looked up under the lock of the company's
billing profile, so that purchases at the same moment cannot pass a limit together.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from billing.errors import AmountRefused
from billing.gateways.base import Way
from billing.gateways.registry import KNOWN, list_gateways
from billing.means import Means, NewMethod, takes, way_of
from billing.models import BillingProfile, Purchase, PurchaseLimit
from billing.prices import limits_of
from billing.profile import find_profile, lock_profile
from members.models import Company
from skypemgr.lib.formats import format_date, format_money
from skypemgr.lib.periods import first_of_month, first_of_next_month

ZERO = Decimal(0)
# At once and a month, as multiples of the currency's smallest purchase (1 in euros).
_UNVERIFIED = {
    Way.CARD: (1_000, 2_500),
    Way.PAYPAL: (1_000, 2_500),
    Way.SEPA_DEBIT: (500, 1_000),
    Way.TRANSFER: (10_000, 50_000),
}
_VERIFIED = {
    Way.CARD: (10_000, 50_000),
    Way.PAYPAL: (10_000, 25_000),
    Way.SEPA_DEBIT: (10_000, 50_000),
    Way.TRANSFER: (100_000, 500_000),
}


@dataclass(frozen=True)
class LimitStatus:
    """What a company may still buy one way, net in its currency; None where nothing limits.

    ``monthly_most``, ``used`` and ``left`` are the system's for the way, ``company_…`` the
    company's own for all ways. ``left_this_month`` is the lesser of both; ``resumes_on`` is when
    the next month begins.
    """

    gateway: str
    way: Way
    is_verified: bool
    single_most: Decimal
    monthly_most: Decimal | None
    used: Decimal
    left: Decimal | None
    company_limit: Decimal | None
    company_used: Decimal
    company_left: Decimal | None
    left_this_month: Decimal | None
    resumes_on: date

    @property
    def is_sandbox(self) -> bool:
        """Whether nothing is really paid this way."""
        return _is_sandbox(self.gateway)


@dataclass(frozen=True)
class OwnLimit:
    """The company's own limit for all ways together, and what of it is used this month."""

    limit: Decimal | None
    used: Decimal
    left: Decimal | None
    resumes_on: date


def describe_own(company: Company, *, now: datetime) -> OwnLimit:
    """How the company's own limit stands in the calendar month of its zone."""
    month = first_of_month(company.day_at(now))
    used = _bought(company, month)
    limit = find_profile(company).company_limit
    left = None if limit is None else max(ZERO, limit - used)
    return OwnLimit(limit, used, left, first_of_next_month(month))


def describe(company: Company, means: Means, *, now: datetime) -> LimitStatus:
    """What the company may still buy this way in the calendar month of its zone."""
    return _describe(company, means, find_profile(company), now)


def hold_limits(company: Company) -> BillingProfile:
    """Inside a transaction: until its end nobody else checks or changes the company's limits.

    Who makes purchases once per request looks for the request again after this: the same request
    may have been stored while it waited.
    """
    return lock_profile(company.pk)


def check_limits(
    company: Company, means: Means, amount: Decimal, *, now: datetime, automatic: bool = False
) -> LimitStatus:
    """Inside the transaction that then stores the purchase: returns only if the net amount may be
    bought; AmountRefused with ``amount_too_large``, ``monthly_limit_reached`` or
    ``company_limit_reached`` says what is used and what to do.
    """
    status = _describe(company, means, hold_limits(company), now)
    _require_within(company, status, amount, automatic=automatic)
    return status


def foresee_limits(company: Company, means: Means, amount: Decimal, *, now: datetime) -> None:
    """As ``check_limits`` would say now, without any lock: for pages that come before."""
    _require_within(company, describe(company, means, now=now), amount, automatic=False)


def describe_ways(company: Company, *, now: datetime) -> list[LimitStatus]:
    """What the company may still buy in each way that its currency can be paid here."""
    profile = find_profile(company)
    return [
        _describe(company, NewMethod(gateway.name, way), profile, now)
        for gateway in list_gateways()
        for way in gateway.ways
        if takes(way, company.currency)
    ]


def system_limit(way: Way, currency: str, *, is_verified: bool) -> tuple[Decimal, Decimal]:
    """The most at once and in a month: the operator's row, else the default."""
    row = PurchaseLimit.objects.filter(way=way, currency=currency, is_verified=is_verified).first()
    if row is not None:
        return row.single_most, row.monthly_most
    scale = limits_of(currency)
    single, monthly = (_VERIFIED if is_verified else _UNVERIFIED)[way]
    return min(scale.most, scale.least * single), scale.least * monthly


def _require_within(
    company: Company, status: LimitStatus, amount: Decimal, *, automatic: bool
) -> None:
    if amount > status.single_most:
        raise _too_large(company, status)
    if status.left is not None and amount > status.left:
        raise _monthly_limit(company, status, automatic=automatic)
    if status.company_left is not None and amount > status.company_left:
        raise _company_limit(company, status, automatic=automatic)


def _describe(
    company: Company, means: Means, profile: BillingProfile, now: datetime
) -> LimitStatus:
    month = first_of_month(company.day_at(now))
    way = way_of(means)
    single: Decimal = limits_of(company.currency).most
    monthly: Decimal | None = None
    if not _is_sandbox(means.gateway):
        single, monthly = system_limit(way, company.currency, is_verified=profile.is_verified)
    used = _bought(company, month, gateway=means.gateway, way=way)
    company_used = _bought(company, month)
    left = None if monthly is None else max(ZERO, monthly - used)
    own = profile.company_limit
    company_left = None if own is None else max(ZERO, own - company_used)
    lefts = [each for each in (left, company_left) if each is not None]
    return LimitStatus(
        gateway=means.gateway,
        way=way,
        is_verified=profile.is_verified,
        single_most=single,
        monthly_most=monthly,
        used=used,
        left=left,
        company_limit=own,
        company_used=company_used,
        company_left=company_left,
        left_this_month=min(lefts) if lefts else None,
        resumes_on=first_of_next_month(month),
    )


def _is_sandbox(gateway: str) -> bool:
    known = KNOWN.get(gateway)
    return known is not None and known.is_sandbox


def _bought(company: Company, month: date, **only: str) -> Decimal:
    """The net of what was booked in the month and of what is being paid."""
    booked = Q(
        status=Purchase.Status.SUCCEEDED,
        transfer__booked_on__gte=month,
        transfer__booked_on__lt=first_of_next_month(month),
    )
    found = Purchase.objects.filter(
        booked | Q(status__in=Purchase.OPEN), company=company, **only
    ).aggregate(total=Sum("amount"))
    return found["total"] or ZERO


def _too_large(company: Company, status: LimitStatus) -> AmountRefused:
    sentence = _("At most %(most)s can be bought at once this way. Buy less, or pay another way.")
    if not status.is_verified:
        sentence = _(
            "At most %(most)s can be bought at once this way until the operator has verified your "
            "company. Buy less, pay another way, or ask the operator to verify it."
        )
    most = format_money(status.single_most, company.currency)
    return AmountRefused(sentence % {"most": most}, field="amount", code="amount_too_large")


def _monthly_limit(company: Company, status: LimitStatus, *, automatic: bool) -> AmountRefused:
    facts = _facts(company, status.monthly_most, status.used, status.left, status.resumes_on)
    if automatic:
        sentence = _(
            "The monthly limit for this way to pay is %(limit)s, and %(used)s are bought or being "
            "paid. Auto-recharge goes on by itself on %(on)s; until then you can pay another way."
        )
    else:
        sentence = _(
            "The monthly limit for this way to pay is %(limit)s, and %(used)s are bought or being "
            "paid: %(left)s are left until %(on)s. Buy at most that, or pay another way."
        )
    return AmountRefused(sentence % facts, field="amount", code="monthly_limit_reached")


def _company_limit(company: Company, status: LimitStatus, *, automatic: bool) -> AmountRefused:
    facts = _facts(
        company,
        status.company_limit,
        status.company_used,
        status.company_left,
        status.resumes_on,
    )
    if automatic:
        sentence = _(
            "Your company buys at most %(limit)s a month, and %(used)s are bought or being paid. "
            "Auto-recharge goes on by itself on %(on)s, or when you raise the limit in Payment "
            "settings."
        )
    else:
        sentence = _(
            "Your company buys at most %(limit)s a month, and %(used)s are bought or being paid: "
            "%(left)s are left until %(on)s. Buy at most that, or raise the limit in Payment "
            "settings."
        )
    return AmountRefused(sentence % facts, field="amount", code="company_limit_reached")


def _facts(
    company: Company, limit: Decimal | None, used: Decimal, left: Decimal | None, on: date
) -> dict[str, str]:
    return {
        "limit": format_money(limit or ZERO, company.currency),
        "used": format_money(used, company.currency),
        "left": format_money(left or ZERO, company.currency),
        "on": format_date(on),
    }
