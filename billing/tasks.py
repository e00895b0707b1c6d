"""The jobs of billing. Their one rule: each is a verb, found its work in the database, and may run
any number of times.
"""

from celery import shared_task

from billing import (
    auto_purchase,
    bank_lines,
    forgetting,
    inbox,
    incidents,
    purchases,
    reconciliation,
    renewal_news,
    renewals,
    transfers,
    vat_checks,
)
from billing.features import numbers


@shared_task(name="billing.evaluate_auto_purchase")
def evaluate_auto_purchase(company_id: int) -> None:
    """The company's auto-recharge has been looked at."""
    auto_purchase.evaluate_auto_purchase(company_id)


@shared_task(name="billing.advance_purchase")
def advance_purchase(purchase_id: int) -> None:
    """The purchase is as far as the gateway can say."""
    purchases.advance_purchase(purchase_id)


@shared_task(name="billing.advance_open_purchases")
def advance_open_purchases() -> None:
    """The gateways were asked about every open purchase that is due."""
    reconciliation.advance_open_purchases()


@shared_task(name="billing.sweep_auto_purchases")
def sweep_auto_purchases() -> None:
    """Every company's auto-recharge that is due has been looked at."""
    auto_purchase.sweep_auto_purchases()


@shared_task(name="billing.mail_incident")
def mail_incident(incident_id: int) -> None:
    """The operators were mailed about the incident, unless they were already."""
    incidents.mail_incident(incident_id)


@shared_task(name="billing.mail_incidents")
def mail_incidents() -> None:
    """Every incident whose mail got lost was mailed."""
    incidents.mail_incidents()


@shared_task(name="billing.process_event")
def process_event(event_id: int) -> None:
    """What follows from the event has followed, unless it is not due."""
    inbox.process_event(event_id)


@shared_task(name="billing.sweep_events")
def sweep_events() -> None:
    """Every event that is due was tried."""
    inbox.sweep_events()


@shared_task(name="billing.compare_days")
def compare_days() -> None:
    """The finished days of every gateway are compared with ours."""
    reconciliation.compare_days()


@shared_task(name="billing.sweep_vat_numbers")
def sweep_vat_numbers() -> None:
    """New VAT numbers wait for their check, and those due were asked about."""
    vat_checks.sweep_vat_numbers()


@shared_task(name="billing.advance_bank_lines")
def advance_bank_lines() -> None:
    """Every line of a bank statement that was not credited to the end is."""
    bank_lines.advance_lines()


@shared_task(name="billing.remind_transfers")
def remind_transfers() -> None:
    """Whoever has a week left to pay by transfer was reminded."""
    transfers.remind_transfers()


@shared_task(name="billing.forget_method")
def forget_method(wish_id: int) -> None:
    """The gateway was asked to forget a removed method, unless that is not due."""
    forgetting.forget_method(wish_id)


@shared_task(name="billing.forget_methods")
def forget_methods() -> None:
    """Every removed method that is due was tried."""
    forgetting.forget_methods()


@shared_task(name="billing.tell_of_expiring")
def tell_of_expiring() -> None:
    """Administrators know which saved cards expire soon."""
    forgetting.tell_of_expiring()


@shared_task(name="billing.renew_due")
def renew_due() -> None:
    """Every feature that is due is renewed or marked, and what is over has ended."""
    renewals.renew_due()
    renewals.end_overdue()


@shared_task(name="billing.renew_company")
def renew_company(company_id: int) -> None:
    """The company's due features are renewed or marked."""
    renewals.renew_company(company_id)


@shared_task(name="billing.retry_renewals")
def retry_renewals(company_id: int) -> None:
    """What the company could not pay was tried again."""
    renewals.retry_company(company_id)


@shared_task(name="billing.announce_renewals")
def announce_renewals() -> None:
    """Administrators know what is renewed in a week and tomorrow."""
    renewal_news.announce_renewals()


@shared_task(name="billing.return_numbers")
def return_numbers() -> None:
    """Numbers kept too long or rested are free again."""
    numbers.return_numbers()
