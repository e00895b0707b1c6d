"""Setting voicemail, forwarding and caller ID. Its one rule: only with a usable feature of that
kind, by the member or an administrator; phone systems hear of it in its transaction.

Two edits at once: the later one stands, whole. All edits of a company take its stamp first, so two
that would together make a circle see each other.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.errors import SettingsRefused
from billing.features.phone_feed import next_stamp
from billing.features.phones import Phone, Target, VoicemailTerms, read_phone
from billing.features.targets import read_targets
from billing.models import (
    MOST_SECONDS,
    FeatureKind,
    ForwardingTarget,
    PhoneNumber,
    PhoneSettings,
    Subscription,
)
from members.access import find_member
from members.actors import Actor
from members.addresses import normal_email
from members.audit import record
from members.models import Member
from skypemgr.lib.errors import NotAllowed
from skypemgr.lib.periods import utc_now

# Of the kinds, those that have something to set.
SETTABLE = (FeatureKind.VOICEMAIL, FeatureKind.CALL_FORWARDING, FeatureKind.CALLER_ID)
LONGEST_TEXT = 500
Status = Subscription.Status


def read_settings(*, actor: Actor, member_id: int) -> Phone:
    """How the member's phone is set. Raises NotAllowed, NotFound."""
    return read_phone(_find(actor, member_id))


def may_set(actor: Actor, member: Member) -> bool:
    """Whether the actor may set this member's phone: an active administrator, or the member, also
    one who left with paid features, but not while suspended.
    """
    if actor.is_system:
        return True
    own = actor.member
    if own is None or own.status == Member.Status.SUSPENDED:
        return False
    return own.pk == member.pk or (own.is_administrator and own.is_present)


def is_usable(feature: Subscription, *, now: datetime) -> bool:
    """Whether the feature works: paid, in grace, or about to be in grace."""
    is_paid = feature.company.day_at(now) < feature.paid_until
    is_in_grace = feature.status == Status.GRACE or feature.renews
    return feature.status != Status.ENDED and (is_paid or is_in_grace)


def set_voicemail(
    *, actor: Actor, member_id: int, terms: VoicemailTerms, now: datetime | None = None
) -> Phone:
    """The member's voicemail answers as the terms say, or not.

    Raises NotAllowed, NotFound, SettingsRefused (``feature_missing``, ``invalid_delay``,
    ``invalid_greeting``, ``invalid_language``, ``invalid_text``), InvalidField
    (``invalid_email``).
    """
    member = _find(actor, member_id)
    terms = _check_voicemail(terms)
    with transaction.atomic():
        stamp = _begin(member, FeatureKind.VOICEMAIL, now or utc_now())
        before = read_phone(member)
        if before.voicemail != terms:
            PhoneSettings.objects.filter(pk=member.pk).update(
                voicemail_on=terms.is_on,
                answer_after_seconds=terms.answer_after_seconds,
                greeting=terms.greeting,
                greeting_language=terms.greeting_language,
                greeting_text=terms.greeting_text,
                voicemail_email=terms.email,
                updated_at=stamp,
            )
            record(
                actor,
                "set_voicemail",
                subject=f"member:{member.pk}",
                is_on=terms.is_on,
                answer_after_seconds=terms.answer_after_seconds,
            )
        return read_phone(member)


def set_forwarding(
    *, actor: Actor, member_id: int, targets: Sequence[Target], now: datetime | None = None
) -> Phone:
    """The member's calls are forwarded to these numbers in order; to nobody without any.

    Raises NotAllowed, NotFound, SettingsRefused (``feature_missing`` and those of
    ``read_targets``).
    """
    member = _find(actor, member_id)
    at = now or utc_now()
    with transaction.atomic():
        stamp = _begin(member, FeatureKind.CALL_FORWARDING, at)
        read = read_targets(member, targets, now=at)
        if read_phone(member).targets != read:
            ForwardingTarget.objects.filter(settings=member.pk).delete()
            ForwardingTarget.objects.bulk_create(
                ForwardingTarget(
                    company=member.company,
                    settings_id=member.pk,
                    position=position,
                    number=each.number,
                    delay_seconds=each.delay_seconds,
                )
                for position, each in enumerate(read, start=1)
            )
            PhoneSettings.objects.filter(pk=member.pk).update(updated_at=stamp)
            # Private numbers stay out of the log.
            record(actor, "set_forwarding", subject=f"member:{member.pk}", numbers_count=len(read))
        return read_phone(member)


def set_caller_id(
    *, actor: Actor, member_id: int, number: str, now: datetime | None = None
) -> Phone:
    """Those whom the member calls see this number, one of the member's own; none if empty.

    Raises NotAllowed, NotFound, SettingsRefused (``feature_missing``, ``not_own_number``).
    """
    member = _find(actor, member_id)
    with transaction.atomic():
        stamp = _begin(member, FeatureKind.CALLER_ID, now or utc_now())
        before = read_phone(member)
        if number and number not in before.numbers:
            raise SettingsRefused(
                _("Choose one of the member's own numbers."), field="number", code="not_own_number"
            )
        if number != (before.caller_id or ""):
            chosen = PhoneNumber.objects.get(e164=number) if number else None
            PhoneSettings.objects.filter(pk=member.pk).update(caller_id=chosen, updated_at=stamp)
            record(actor, "set_caller_id", subject=f"member:{member.pk}", number=number)
        return read_phone(member)


def _find(actor: Actor, member_id: int) -> Member:
    member = find_member(actor, member_id)
    if not may_set(actor, member):
        raise NotAllowed(_("Your role does not permit this. Ask an administrator."))
    return member


def _begin(member: Member, kind: str, now: datetime) -> datetime:
    """Inside the transaction, before anything is read: the stamp, if there is such a feature."""
    stamp = next_stamp(member.company_id)
    features = Subscription.objects.filter(
        company=member.company_id, member=member, kind=kind, status__in=Subscription.OPEN
    )
    if not any(is_usable(each, now=now) for each in features.select_related("company")):
        raise SettingsRefused(
            _("%(name)s does not have this feature.") % {"name": member.name},
            code="feature_missing",
        )
    return stamp


def _check_voicemail(terms: VoicemailTerms) -> VoicemailTerms:
    if not 0 <= terms.answer_after_seconds <= MOST_SECONDS:
        raise SettingsRefused(
            _("Write a number of seconds from 0 to 120."),
            field="answer_after_seconds",
            code="invalid_delay",
        )
    if terms.greeting not in PhoneSettings.Greeting.values:
        raise SettingsRefused(
            _("Choose a greeting from the list."), field="greeting", code="invalid_greeting"
        )
    if terms.greeting_language not in PhoneSettings.Language.values:
        raise SettingsRefused(
            _("Choose a language from the list."),
            field="greeting_language",
            code="invalid_language",
        )
    text = terms.greeting_text.strip()
    if len(text) > LONGEST_TEXT or "\x00" in text:
        raise SettingsRefused(
            _("Write at most 500 characters."), field="greeting_text", code="invalid_text"
        )
    if terms.greeting == PhoneSettings.Greeting.TEXT and not text:
        raise SettingsRefused(
            _("Write the words to be read out."), field="greeting_text", code="invalid_text"
        )
    email = normal_email(terms.email) if terms.email.strip() else ""
    return replace(terms, greeting_text=text, email=email)
