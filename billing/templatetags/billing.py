"""Words about payments for pages and mails. Its one rule: no query."""

from datetime import date

from django import template

from billing.declines import explain_decline
from skypemgr.lib.formats import format_date

register = template.Library()


@register.filter
def decline_reason(code: str) -> str:
    """`{{ decline_code|decline_reason }}` says why a payment was declined and what to do."""
    return str(explain_decline(code))


@register.filter
def iso_day(text: str) -> str:
    """`{{ expires_on|iso_day }}` writes a day that a notice keeps as text."""
    return format_date(date.fromisoformat(text))
