"""When a gateway is asked again about an open purchase.

Its one rule: often while somebody waits, then ever more rarely, and never given up.
"""

from datetime import datetime, timedelta

from billing.models import Purchase

# Whoever made the purchase asks first; the sweep leaves it alone for as long.
HEAD_START = timedelta(seconds=10)
AFTER_SENDING = (
    HEAD_START,
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
)
DAILY = timedelta(days=1)


def next_check(purchase: Purchase, now: datetime) -> datetime:
    """The next instant after now at which the gateway is asked: 10 s, 1, 5, 15 and 60 minutes
    after the purchase was sent, then daily, and when the time to pay is over.
    """
    start = purchase.sent_at or purchase.created_at
    last = start + AFTER_SENDING[-1]
    days_passed = max((now - last) // DAILY, 0)
    times = [
        *(start + step for step in AFTER_SENDING),
        last + DAILY * (days_passed + 1),
        *([purchase.action_expires_at] if purchase.action_expires_at else []),
    ]
    return min(time for time in times if time > now)
