"""Filters and tags that write amounts, percentages and times in the reader's language.

One rule: they only choose the language and the reader's zone; how it is written is in `formats`.
"""

from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from skypemgr.lib import formats
from skypemgr.lib.phones import readable_number

register = template.Library()


@register.filter
def money(amount: Decimal | int | str | None, currency: str) -> str:
    """`{{ amount|money:"EUR" }}` writes an amount; nothing for None."""
    return "" if amount is None else formats.format_money(amount, currency)


@register.filter
def signed_money(amount: Decimal | int | str | None, currency: str) -> str:
    """`{{ amount|signed_money:"EUR" }}` writes it with a plus or minus sign."""
    return "" if amount is None else formats.format_money(amount, currency, signed=True)


@register.simple_tag
def movement(amount: Decimal, currency: str) -> SafeString:
    """`{% movement amount currency %}` writes a signed amount, green when in, plain when out."""
    direction = "in" if amount > 0 else "out" if amount < 0 else "none"
    return format_html(
        '<span class="amount amount-{}">{}</span>',
        direction,
        formats.format_money(amount, currency, signed=True),
    )


@register.filter
def number(value: Decimal | int | None) -> str:
    """`{{ count|number }}` groups thousands."""
    return "" if value is None else formats.format_number(value)


@register.filter
def phone(digits: str | None) -> str:
    """`{{ e164|phone }}` writes a phone number in its international form."""
    return "" if digits is None else readable_number(digits)


@register.filter
def percent(ratio: Decimal | None, decimals: int = 0) -> str:
    """`{{ ratio|percent }}` writes 0.03 as `3 %`."""
    return "" if ratio is None else formats.format_percent(ratio, decimals=decimals)


@register.filter
def share_of(part: Decimal, whole: Decimal) -> str:
    """`{{ spent|share_of:total }}` writes a part as a percentage of the whole, if there is one."""
    return formats.format_percent(part / whole) if whole else ""


@register.filter
def day(value: date | None) -> str:
    """`{{ on|day }}` writes a day in full."""
    return "" if value is None else formats.format_date(_as_day(value))


@register.filter
def short_day(value: date | None) -> str:
    """`{{ on|short_day }}` writes a day, without the year when it is this year."""
    if value is None:
        return ""
    return formats.format_date(_as_day(value), today=timezone.localdate())


@register.filter
def month(value: date | None) -> str:
    """`{{ on|month }}` writes month and year."""
    return "" if value is None else formats.format_month(_as_day(value))


@register.filter
def moment(value: datetime | None) -> str:
    """`{{ at|moment }}` writes a day and time in full."""
    return "" if value is None else formats.format_moment(value)


@register.filter
def duration(seconds: int | None) -> str:
    """`{{ seconds|duration }}` writes a length of time."""
    return "" if seconds is None else formats.format_duration(seconds)


@register.simple_tag
def relative_time(when: datetime | None) -> str:
    """`{% relative_time at %}` writes "2 hours ago", the moment in full on hover."""
    if when is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        when.isoformat(timespec="seconds"),
        formats.format_moment(when),
        formats.format_relative(when),
    )


def _as_day(value: date) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value
