"""The Celery application: who answers to which fact, and in which order.

Its one rule: every task is idempotent and finds its work in PostgreSQL; a message only makes it
sooner. There is no result backend.
"""

import os

from celery import Celery, chain

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skypemgr.settings")

app = Celery("skypemgr")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# In the order in which they are to run: a company's credit first pays its own obligations.
ANSWERS: dict[str, tuple[str, ...]] = {
    "purse.due": ("credit.evaluate_purse",),
    "company.credited": ("billing.retry_renewals", "credit.serve_waiting_rules"),
    "company.debited": ("billing.evaluate_auto_purchase", "credit.look_at_balance"),
    "notice.created": ("members.send_notice",),
    "invitation.created": ("members.send_invitation",),
    "import.wanted": ("members.advance_import",),
    "export.wanted": ("portal.advance_export",),
    "gateway.event": ("billing.process_event",),
    "incident.created": ("billing.mail_incident",),
    "purchase.open": ("billing.advance_purchase",),
    "feature.due": ("billing.renew_company",),
    "method.removed": ("billing.forget_method",),
}


@app.task(name="skypemgr.wake", ignore_result=True)
def answer(fact: str, subject_id: int) -> None:
    """Whoever answers to the fact has been called, one after the other."""
    chain(*(app.signature(name, args=[subject_id], immutable=True) for name in ANSWERS[fact]))()
