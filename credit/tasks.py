"""What the workers do with credit. Its one rule: a task is a name for a verb."""

from celery import shared_task

from credit.closing import close_months
from credit.holds import expire_holds
from credit.low_balance import look_at_balance, sweep_low_balances
from credit.models import Account
from credit.recharge import evaluate_purses
from credit.rollup import roll_up_days
from credit.sweeps import resume_rules, serve_waiting_rules, sweep_due_purses
from credit.usage_rollup import roll_up_usage
from skypemgr.lib.periods import utc_now


@shared_task(name="credit.evaluate_purse")
def evaluate_purse(account_id: int) -> None:
    """The rule of the purse has been evaluated."""
    for company_id in Account.objects.filter(pk=account_id).values_list("company_id", flat=True):
        evaluate_purses(company_id, [account_id], now=utc_now())


@shared_task(name="credit.serve_waiting_rules")
def serve_rules(company_id: int) -> None:
    """The company's waiting members have been served."""
    serve_waiting_rules(company_id, now=utc_now())


@shared_task(name="credit.sweep_due_purses")
def sweep() -> None:
    """Every due purse has been evaluated."""
    sweep_due_purses(now=utc_now())


@shared_task(name="credit.expire_holds")
def expire() -> None:
    """Calls that were never settled have given back what they set aside."""
    expire_holds(now=utc_now())


@shared_task(name="credit.roll_up_days")
def roll_up() -> None:
    """Finished days are rolled up by company, list and cost centre."""
    roll_up_days(now=utc_now())


@shared_task(name="credit.close_months")
def close() -> None:
    """Months that have ended are closed, and their figures frozen."""
    close_months(now=utc_now())


@shared_task(name="credit.roll_up_usage")
def sum_usage() -> None:
    """The calls of finished days are summed by list, cost centre, destination and member."""
    roll_up_usage(now=utc_now())


@shared_task(name="credit.resume_rules")
def resume() -> None:
    """Suspensions whose day has come are over, and what is due by that is served."""
    if resume_rules(now=utc_now()):
        sweep_due_purses(now=utc_now())


@shared_task(name="credit.look_at_balance")
def look(company_id: int) -> None:
    """Whoever is to know of the company's low balance was told."""
    look_at_balance(company_id)


@shared_task(name="credit.sweep_low_balances")
def sweep_alerts() -> None:
    """Every company whose balance moved was looked at for its low-balance alert."""
    sweep_low_balances()
