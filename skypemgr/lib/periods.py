"""Days and months in a company's time zone. Its one rule: a day is always somebody's day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def day_in(zone: str, at: datetime) -> date:
    """The calendar day in the named zone at an aware instant."""
    return at.astimezone(ZoneInfo(zone)).date()


def first_of_month(day: date) -> date:
    """The first day of the month in which the day lies."""
    return day.replace(day=1)


def first_of_next_month(day: date) -> date:
    """The first day of the month after the one in which the day lies."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def add_months(month: date, count: int) -> date:
    """The first day of the month that lies ``count`` months after (before, if negative)."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def start_of_day(zone: str, day: date) -> datetime:
    """The instant at which the day begins in the named zone."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
