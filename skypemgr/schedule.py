"""How often Beat starts each job: a number is in seconds, a crontab is in UTC."""

from typing import Any

from celery.schedules import crontab

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-due-purses": {"task": "credit.sweep_due_purses", "schedule": 15.0},
    "sweep-low-balances": {"task": "credit.sweep_low_balances", "schedule": 15.0},
    "expire-holds": {"task": "credit.expire_holds", "schedule": 60.0},
    "roll-up-days": {"task": "credit.roll_up_days", "schedule": crontab(minute="*/10")},
    "roll-up-usage": {"task": "credit.roll_up_usage", "schedule": crontab(minute="5-59/10")},
    "close-months": {"task": "credit.close_months", "schedule": crontab(minute="*/5")},
    "resume-rules": {"task": "credit.resume_rules", "schedule": crontab(minute="*/5")},
    "advance-purchases": {"task": "billing.advance_open_purchases", "schedule": 10.0},
    "sweep-events": {"task": "billing.sweep_events", "schedule": 30.0},
    "compare-days": {"task": "billing.compare_days", "schedule": crontab(minute=15)},
    "mail-incidents": {"task": "billing.mail_incidents", "schedule": 60.0},
    "sweep-auto-purchases": {"task": "billing.sweep_auto_purchases", "schedule": 30.0},
    "forget-methods": {"task": "billing.forget_methods", "schedule": 60.0},
    "tell-of-expiring": {
        "task": "billing.tell_of_expiring",
        "schedule": crontab(hour="*/6", minute=25),
    },
    "sweep-vat-numbers": {"task": "billing.sweep_vat_numbers", "schedule": crontab(minute="*/5")},
    "advance-bank-lines": {"task": "billing.advance_bank_lines", "schedule": 30.0},
    "remind-transfers": {"task": "billing.remind_transfers", "schedule": crontab(minute=40)},
    "renew-features": {"task": "billing.renew_due", "schedule": 60.0},
    "announce-renewals": {"task": "billing.announce_renewals", "schedule": crontab(minute=10)},
    "return-numbers": {"task": "billing.return_numbers", "schedule": 60.0},
    "forget-sessions": {"task": "members.forget_sessions", "schedule": crontab(minute="40")},
    "resume-imports": {"task": "members.resume_imports", "schedule": 60.0},
    "resume-exports": {"task": "portal.resume_exports", "schedule": 60.0},
    "send-notices": {"task": "members.send_pending_notices", "schedule": 30.0},
}
