"""What a company is as a payer. Its one rule: the profile is made when first needed, and only the
operator verifies or stops a company.
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.errors import AmountRefused, BillingDetailsMissing
from billing.gateways.base import Gateway
from billing.models import BillingProfile
from credit.money import checked_amount
from members.actors import Actor
from members.audit import record
from members.models import Company
from skypemgr.lib.amounts import currency_places
from skypemgr.lib.errors import NotAllowed
from skypemgr.lib.periods import utc_now

_FILE = Path(__file__).resolve().parent / "data" / "without_postcode.txt"
# Countries whose addresses have no postcode.
WITHOUT_POSTCODE = frozenset(_FILE.read_text(encoding="ascii").split())
DETAIL_LABELS = {
    "address_line_1": gettext_lazy("Address"),
    "postcode": gettext_lazy("Postcode"),
    "city": gettext_lazy("City"),
    "country": gettext_lazy("Country"),
    "siren": "SIREN",
}


def find_profile(company: Company) -> BillingProfile:
    """The company's profile as stored, or a new one that is not stored."""
    known = BillingProfile.objects.filter(company=company).first()
    return known or BillingProfile(company=company)


def lock_profile(company_id: int) -> BillingProfile:
    """Inside a transaction: the company's profile, made if need be, locked until the end."""
    BillingProfile.objects.bulk_create(
        [BillingProfile(company_id=company_id)], ignore_conflicts=True
    )
    return BillingProfile.objects.select_for_update(no_key=True).get(company=company_id)


def missing_details(company: Company) -> list[str]:
    """The company's fields that an invoice needs and that are empty, in the form's order."""
    needed = ["address_line_1", "postcode", "city", "country"]
    if company.country in WITHOUT_POSTCODE:
        needed.remove("postcode")
    if company.country == "FR":
        needed.append("siren")
    return [name for name in needed if not getattr(company, name)]


def details_missing_for(company: Company, gateway: Gateway) -> list[str]:
    """The missing fields that this gateway's purchases need; none if it asks for none."""
    return missing_details(company) if gateway.needs_billing_details else []


def require_details(company: Company, gateway: Gateway) -> None:
    """Returns only if the gateway's purchase can be invoiced; BillingDetailsMissing names what is
    missing in ``fields``.
    """
    missing = details_missing_for(company, gateway)
    if missing:
        names = ", ".join(str(DETAIL_LABELS[name]) for name in missing)
        raise BillingDetailsMissing(
            _("Complete the company's billing details first. Missing: %(names)s.")
            % {"names": names},
            fields=missing,
        )


def set_company_limit(*, actor: Actor, limit: Decimal | None) -> BillingProfile:
    """The company buys at most ``limit`` (net) a calendar month; None is no limit of its own.

    What is bought or being paid already stays. Raises NotAllowed, AmountRefused.
    """
    actor.require_administrator()
    if limit is not None:
        checked_amount(limit, field="company_limit")
        places = currency_places(actor.company.currency)
        if limit != limit.quantize(Decimal(1).scaleb(-places)):
            raise AmountRefused(
                _("Use at most %(count)s decimals.") % {"count": places}, field="company_limit"
            )
    with transaction.atomic():
        profile = lock_profile(actor.company.pk)
        if profile.company_limit != limit:
            profile.company_limit = limit
            profile.save(update_fields=["company_limit"])
            record(
                actor,
                "set_purchase_limit",
                subject=f"company:{actor.company.pk}",
                company_limit=limit,
            )
    return profile


def verify_company(*, actor: Actor, now: datetime | None = None) -> BillingProfile:
    """The operator vouches for the company: the limits of verified companies hold."""
    _require_operator(actor)
    with transaction.atomic():
        profile = lock_profile(actor.company.pk)
        if not profile.is_verified:
            profile.verified_at = now or utc_now()
            profile.verified_by = actor.user
            profile.save(update_fields=["verified_at", "verified_by"])
            record(actor, "verify_company", subject=f"company:{actor.company.pk}")
    return profile


def withdraw_verification(*, actor: Actor) -> BillingProfile:
    """The limits of unverified companies hold again."""
    _require_operator(actor)
    with transaction.atomic():
        profile = lock_profile(actor.company.pk)
        if profile.is_verified:
            profile.verified_at = None
            profile.verified_by = None
            profile.save(update_fields=["verified_at", "verified_by"])
            record(actor, "withdraw_verification", subject=f"company:{actor.company.pk}")
    return profile


def _require_operator(actor: Actor) -> None:
    if not actor.is_system:
        raise NotAllowed(_("Only the operator of this service can do this."))
