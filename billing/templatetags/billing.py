"""Words about payments for pages and mails. Its one rule: no query."""

from django import template

from billing.declines import explain_decline

register = template.Library()


@register.filter
def decline_reason(code: str) -> str:
    """`{{ decline_code|decline_reason }}` says why a payment was declined and what to do."""
    return str(explain_decline(code))
