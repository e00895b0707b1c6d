"""Who may read single calls. Its one rule: administrators only while the company has switched
call details on and the member consents; the member always the own; finance never.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.actors import Actor
from members.audit import record
from members.models import Company, Member
from skypemgr.lib.errors import NotAllowed
from skypemgr.lib.periods import utc_now

HIDDEN_DIGITS = 4
DOT = "\u2022"


def may_show_calls(viewer: Member, member: Member) -> bool:
    """Whether the viewer may read the member's single calls; no query for a loaded company.

    To everybody but the member the last four digits are hidden (``hide_last_digits``).
    """
    if viewer.pk == member.pk:
        return True
    return (
        viewer.company_id == member.company_id
        and viewer.is_administrator
        and viewer.status == Member.Status.ACTIVE
        and member.company.call_details_on
        and member.call_details_consent_at is not None
    )


def hide_last_digits(number: str) -> str:
    """The number with its last four digits as dots: +33 1 42 27 ••••."""
    left = HIDDEN_DIGITS
    shown: list[str] = []
    for sign in reversed(number):
        hides = sign.isdigit() and left > 0
        shown.append(DOT if hides else sign)
        left -= hides
    # Dots stand together, whatever parted the digits.
    text = "".join(reversed(shown))
    first = text.find(DOT)
    return text if first < 0 else text[:first] + DOT * text.count(DOT)


def hidden_digits_sql(number: str) -> str:
    """What the database writes for a number without spaces (an SQL expression): the same digits
    hidden as by ``hide_last_digits``.
    """
    hidden = f"least({HIDDEN_DIGITS}, length(ltrim({number}, '+')))"
    return f"left({number}, -{hidden}) || repeat('{DOT}', {hidden})"


def set_consent(*, actor: Actor, consents: bool, now: datetime | None = None) -> Member:
    """The acting member consents, or does not any more; given twice, the first time counts."""
    if actor.member is None:
        raise NotAllowed(_("A token of the company is nobody's."))
    with transaction.atomic():
        member = (
            Member.objects.select_for_update(no_key=True, of=("self",))
            .select_related("company", "user", "list")
            .get(pk=actor.member.pk)
        )
        if (member.call_details_consent_at is not None) != consents:
            member.call_details_consent_at = (now or utc_now()) if consents else None
            member.save(update_fields=["call_details_consent_at"])
            verb = "give_call_details_consent" if consents else "withdraw_call_details_consent"
            record(actor, verb, subject=f"member:{member.pk}")
    return member


def switch_call_details(*, actor: Actor, on: bool) -> Company:
    """The company shows, or does not show, single calls of members who consent."""
    actor.require_administrator()
    with transaction.atomic():
        company = Company.objects.select_for_update(no_key=True).get(pk=actor.company.pk)
        if company.call_details_on != on:
            company.call_details_on = on
            company.save(update_fields=["call_details_on"])
            verb = "switch_on_call_details" if on else "switch_off_call_details"
            record(actor, verb, subject=f"company:{company.pk}")
    return company
