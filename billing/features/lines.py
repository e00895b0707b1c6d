"""Features as people see them: until when, and at what price. Its one rule: what was paid is told
from the period paid, what comes from the prices of today.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billing.features.kinds import looks_of
from billing.features.terms import Terms, TermsBook
from billing.features.wording import SECONDS_A_MINUTE, period_words, price_by_month, price_words
from billing.models import (
    FeatureBan,
    FeatureKind,
    PeriodAllowance,
    Subscription,
    SubscriptionPeriod,
)
from credit.models import Allowance
from credit.money import ZERO
from members.models import Company, Member
from skypemgr.lib.formats import format_money

Status = Subscription.Status
# More than that stand on the table of their kind.
SHOWN_OF_MEMBER = 200
SHOWN_ENDED = 20
# Of these the phone system keeps settings.
WITH_SETTINGS = (FeatureKind.VOICEMAIL, FeatureKind.CALL_FORWARDING, FeatureKind.CALLER_ID)


@dataclass(frozen=True, slots=True)
class FeatureLine:
    """A feature with its prices in the company's currency: ``price`` was paid for the period until
    ``paid_until``; from then on it goes on by ``terms``, None when it ends.
    """

    feature: Subscription
    price: Decimal
    terms: Terms | None
    currency: str

    @property
    def price_words(self) -> str:
        """What the period cost, and how long it is: ``€14.00 for 3 months``."""
        months = self.feature.months
        if not self.price:
            return self.amount_words
        words = {"amount": self.amount_words, "count": months}
        if months == 1:
            return _("%(amount)s a month") % words
        return (
            ngettext("%(amount)s for %(count)s month", "%(amount)s for %(count)s months", months)
            % words
        )

    @property
    def amount_words(self) -> str:
        """What the period cost."""
        return price_words(self.price, 1, self.currency)

    @property
    def by_month_words(self) -> str:
        """How long the period is, and what it costs a month; empty for what is free."""
        months = self.feature.months
        if not self.price:
            return ""
        if months == 1:
            return pgettext("price", "a month")
        by_month = price_by_month(self.price, months, self.currency)
        return _("%(period)s, %(price)s a month") % {
            "period": period_words(months),
            "price": format_money(by_month, self.currency),
        }

    @property
    def renews(self) -> bool:
        """Whether another period follows."""
        return self.terms is not None

    @property
    def is_discontinued(self) -> bool:
        """Whether it would renew, and its plan is not offered any more."""
        is_open = self.feature.status in Subscription.OPEN
        return is_open and self.feature.renews and self.terms is None

    @property
    def has_settings(self) -> bool:
        """Whether there is something to set."""
        return self.feature.kind in WITH_SETTINGS

    @property
    def is_in_grace(self) -> bool:
        """Whether the paid time is over and it may still be paid."""
        return self.feature.status == Status.GRACE

    @property
    def is_unpaid(self) -> bool:
        """Whether its renewal was tried and could not be paid."""
        return self.feature.last_failed_on is not None

    @property
    def change_words(self) -> str:
        """The next period when it is another one or costs something else, else empty."""
        if self.terms is None:
            return ""
        next_words = price_words(self.terms.price, self.terms.months, self.currency)
        if self.terms.plan.pk != self.feature.plan_id:
            return _("then %(plan)s, %(period)s, %(price)s") % {
                "plan": self.terms.plan.name,
                "period": period_words(self.terms.months),
                "price": next_words,
            }
        if self.terms.months != self.feature.months:
            return _("then %(period)s, %(price)s") % {
                "period": period_words(self.terms.months),
                "price": next_words,
            }
        if self.terms.price != self.price:
            return _("then %(price)s") % {"price": next_words}
        return ""


@dataclass(frozen=True, slots=True)
class OwnFeature:
    """A feature as its member sees it: no price, but the minutes that it includes now, None without
    any, and the day on which they are anew or over.
    """

    feature: Subscription
    minutes: Allowance | None
    minutes_until: date | None

    @property
    def icon(self) -> str:
        """That of its kind."""
        return looks_of(self.feature.kind).icon

    @property
    def has_settings(self) -> bool:
        """Whether the member can set it."""
        return self.feature.kind in WITH_SETTINGS

    @property
    def minutes_left(self) -> int:
        """Whole minutes that calls have not used."""
        return self.minutes.seconds_left // SECONDS_A_MINUTE if self.minutes else 0

    @property
    def minutes_total(self) -> int:
        """Whole minutes included this month."""
        return self.minutes.seconds_total // SECONDS_A_MINUTE if self.minutes else 0


def read_features_of(member: Member) -> tuple[list[FeatureLine], list[FeatureLine]]:
    """The member's open features and the last ended ones, each with its prices; five queries."""
    company = member.company
    features = with_names(Subscription.objects.filter(member=member, company=company))
    open_ones = features.filter(status__in=Subscription.OPEN).order_by("kind", "created_at", "pk")
    ended = features.filter(status=Status.ENDED).order_by("-ended_at", "-pk")
    found = [*open_ones[:SHOWN_OF_MEMBER], *ended[:SHOWN_ENDED]]
    lines = price_features(company, found)
    return (
        [line for line in lines if line.feature.status != Status.ENDED],
        [line for line in lines if line.feature.status == Status.ENDED],
    )


def read_banned_kinds(member: Member) -> set[str]:
    """The kinds that the member may not have; one query."""
    return set(FeatureBan.objects.filter(member=member).values_list("kind", flat=True))


def read_next_renewals(company: Company, count: int) -> list[FeatureLine]:
    """The features that are renewed next, so many at most; five queries."""
    renewing = Subscription.objects.filter(company=company, charge_on__isnull=False)
    # Found before anything is joined: many may be charged on one day.
    pks = list(renewing.order_by("charge_on", "pk").values_list("pk", flat=True)[:count])
    found = with_names(Subscription.objects.filter(pk__in=pks)).select_related("member")
    return price_features(company, list(found.order_by("charge_on", "pk")))


def price_features(company: Company, found: Sequence[Subscription]) -> list[FeatureLine]:
    """Each with what was paid for it and how it goes on; three queries."""
    paid = dict(
        SubscriptionPeriod.objects.filter(
            subscription__in=[each.pk for each in found], ends_on=F("subscription__paid_until")
        ).values_list("subscription_id", "price")
    )
    book = TermsBook(found, currency=company.currency)
    lines = []
    for each in found:
        goes_on = each.renews and each.status != Status.ENDED
        lines.append(
            FeatureLine(
                feature=each,
                price=paid.get(each.pk, ZERO),
                terms=book.at_renewal(each, each.paid_until) if goes_on else None,
                currency=company.currency,
            )
        )
    return lines


def read_own_features(member: Member, *, now: datetime) -> list[OwnFeature]:
    """The open features of the member, with the minutes included this month; two queries."""
    found = list(
        with_names(
            Subscription.objects.filter(
                member=member, company=member.company_id, status__in=Subscription.OPEN
            )
        ).order_by("kind", "created_at", "pk")[:SHOWN_OF_MEMBER]
    )
    opened = PeriodAllowance.objects.filter(
        period__subscription__in=[each.pk for each in found],
        allowance__starts_at__lte=now,
        allowance__ends_at__gt=now,
    ).select_related("allowance", "period")
    minutes = {each.period.subscription_id: each.allowance for each in opened}
    company = member.company
    return [
        OwnFeature(each, own, company.day_at(own.ends_at) if own else None)
        for each in found
        for own in (minutes.get(each.pk),)
    ]


def with_names(features: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """The features with their plans and numbers at hand."""
    return features.select_related("plan", "next_plan", "number")
