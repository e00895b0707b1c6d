"""Finds out whether companies' VAT numbers are valid.

Its one rule: an answer belongs to the number it was given about; another number starts unchecked,
and the operator's word stands above every service's.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from billing.errors import NoVatNumber
from billing.models import BillingProfile
from billing.profile import lock_profile
from billing.vat import EU, number_matters, number_prefix
from billing.vat_checkers import CheckerUnavailable, VatAnswer, VatChecker, find_checker
from members.actors import Actor
from members.audit import record
from members.models import Company
from skypemgr.lib.errors import NotAllowed
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)

State = BillingProfile.VatState
Source = BillingProfile.VatSource
CHECKED_AGAIN_AFTER = timedelta(days=30)
ASKED_AGAIN_AFTER = timedelta(hours=1)
SWEPT_AT_ONCE = 200
# A service that does not answer takes seconds for each.
ASKED_AT_ONCE = 50
_FIELDS = (
    "vat_number_checked",
    "vat_state",
    "vat_source",
    "vat_checked_at",
    "vat_valid_at",
    "vat_proof",
    "vat_next_check_at",
)


def sweep_vat_numbers(*, now: datetime | None = None) -> int:
    """Every new number waits for its check, and those due were asked about where a service is
    configured. Bounded; the next sweep goes on. Returns how many were asked about.
    """
    at = now or utc_now()
    _note_new_numbers()
    checker = find_checker()
    if checker is None:
        return 0
    due = _due_profiles(at)
    for company_id in due:
        with OneOfMany(logger, "VAT number of company %s could not be dealt with", company_id):
            check_vat_number(company_id, checker=checker, now=at)
    return len(due)


def check_vat_number(company_id: int, *, checker: VatChecker, now: datetime) -> None:
    """The service was asked about the company's number, outside any transaction, and its answer
    stored, unless the number changed or the operator decided meanwhile.
    """
    number = (
        BillingProfile.objects.values_list("vat_number_checked", flat=True)
        .filter(company=company_id)
        .first()
    )
    if not number:
        return
    answer: VatAnswer | None = None
    try:
        answer = checker.check(number)
    except CheckerUnavailable as error:
        logger.warning("VAT number of company %s could not be checked: %s", company_id, error)
    with transaction.atomic():
        profile = lock_profile(company_id)
        if profile.vat_number_checked != number or profile.vat_source == Source.OPERATOR:
            return
        if answer is None:
            # A good answer had before stays in ``vat_valid_at``.
            profile.vat_state = State.UNAVAILABLE
            profile.vat_next_check_at = now + ASKED_AGAIN_AFTER
        else:
            _store(profile, answer, source=checker.source, now=now)
            profile.vat_next_check_at = now + CHECKED_AGAIN_AFTER
        profile.save(update_fields=_FIELDS)


def decide_vat_number(
    *, actor: Actor, is_valid: bool, now: datetime | None = None
) -> BillingProfile:
    """The operator's word about the company's present number holds until the number changes.

    Raises NotAllowed, and NoVatNumber where there is none of the company's country.
    """
    if not actor.is_system:
        raise NotAllowed(_("Only the operator of this service can do this."))
    with transaction.atomic():
        company = Company.objects.get(pk=actor.company.pk)
        number = company.vat_number
        if not number or not number.startswith(number_prefix(company.country)):
            raise NoVatNumber(
                _("The company has given no VAT number of its country."), field="vat_number"
            )
        profile = lock_profile(company.pk)
        profile.vat_number_checked = number
        _store(profile, VatAnswer(is_valid), source=Source.OPERATOR, now=now or utc_now())
        profile.vat_next_check_at = None
        profile.save(update_fields=_FIELDS)
        record(
            actor,
            "accept_vat_number" if is_valid else "refuse_vat_number",
            subject=f"company:{company.pk}",
            vat_number=number,
        )
    return profile


def number_state(company: Company) -> str:
    """The state of the number that the company gives now; empty where it does not matter."""
    if not company.vat_number or not number_matters(company.country):
        return ""
    profile = BillingProfile.objects.filter(
        company=company, vat_number_checked=company.vat_number
    ).first()
    return profile.vat_state if profile else State.UNCHECKED.value


def _store(profile: BillingProfile, answer: VatAnswer, *, source: str, now: datetime) -> None:
    profile.vat_state = State.VALID if answer.is_valid else State.INVALID
    profile.vat_source = source
    profile.vat_checked_at = now
    profile.vat_valid_at = now if answer.is_valid else None
    profile.vat_proof = answer.proof


def _note_new_numbers() -> None:
    """Profiles of companies that gave another number say so, and the operator finds them."""
    others = (
        Company.objects.filter(country__in=_countries_that_matter())
        .exclude(vat_number="")
        .exclude(state=Company.State.CLOSED)
        .filter(Q(billing_profile=None) | ~Q(billing_profile__vat_number_checked=F("vat_number")))
        .values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    )
    for company_id in list(others):
        with transaction.atomic():
            profile = lock_profile(company_id)
            number = Company.objects.values_list("vat_number", flat=True).get(pk=company_id)
            if profile.vat_number_checked == number:
                continue
            profile.vat_number_checked = number
            profile.vat_state = State.UNCHECKED
            profile.vat_source = profile.vat_proof = ""
            profile.vat_checked_at = profile.vat_valid_at = profile.vat_next_check_at = None
            profile.save(update_fields=_FIELDS)


def _due_profiles(at: datetime) -> list[int]:
    """The companies whose number a service is to be asked about now."""
    never_asked = Q(vat_next_check_at=None, vat_state=State.UNCHECKED)
    return list(
        BillingProfile.objects.filter(
            never_asked | Q(vat_next_check_at__lte=at),
            company__country__in=_countries_that_matter(),
            vat_number_checked=F("company__vat_number"),
        )
        .exclude(vat_number_checked="")
        .exclude(vat_source=Source.OPERATOR)
        .exclude(company__state=Company.State.CLOSED)
        .order_by(F("vat_next_check_at").asc(nulls_first=True), "pk")
        .values_list("company_id", flat=True)[:ASKED_AT_ONCE]
    )


def _countries_that_matter() -> Collection[str]:
    return [country for country in EU if number_matters(country)]
