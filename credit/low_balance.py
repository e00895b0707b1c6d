"""The low-balance alert of a company: its level, who is told, and when.

Its one rule: a crossing is a version of the company's purse, found in the ledger. However late or
often it is looked for, each is told once. Lock order: alert, then purse.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from credit.accounts import company_balance, ensure_accounts, purse_of_company, watch_purse
from credit.errors import UnknownMember
from credit.models import Account, LowBalanceAlert, LowBalanceRecipient
from credit.money import checked_amount
from members.actors import Actor
from members.audit import record
from members.models import Company, Member
from members.models.people import Role
from members.notices import NoticeKind, tell_administrators, tell_members
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)

# After a long outage the newest crossings are told, not hundreds.
TOLD_AT_ONCE = 5
READERS = (Role.ADMINISTRATOR, Role.FINANCE)

CROSSINGS = """
WITH moved AS (
  SELECT source_version AS version, source_balance_after AS balance FROM credit_transfer
   WHERE source_id = %(purse)s AND source_version > %(after)s AND source_version <= %(until)s
   UNION ALL
  SELECT destination_version, destination_balance_after FROM credit_transfer
   WHERE destination_id = %(purse)s
     AND destination_version > %(after)s AND destination_version <= %(until)s
), seen AS (
  SELECT version, balance,
         coalesce(lag(balance) OVER (ORDER BY version) < %(level)s, %(was_below)s) AS was_below
    FROM moved
)
SELECT version, balance FROM seen WHERE balance < %(level)s AND NOT was_below
 ORDER BY version DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """How the alert stands. Amounts in the company's currency; without a level it is off."""

    level: Decimal | None
    balance: Decimal
    recipients: tuple[Member, ...]

    @property
    def is_below(self) -> bool:
        """Whether the balance is below the level now."""
        return self.level is not None and self.balance < self.level


def describe_alert(company: Company) -> AlertStatus:
    """How the company's alert stands now. Three queries."""
    alert = LowBalanceAlert.objects.filter(company=company).first()
    return AlertStatus(
        level=alert.level if alert else None,
        balance=company_balance(company),
        recipients=tuple(_recipients(alert)) if alert else (),
    )


def possible_recipients(company: Company) -> list[Member]:
    """The active administrators and finance, by name."""
    found = Member.objects.filter(company=company, role__in=READERS, status=Member.Status.ACTIVE)
    return list(found.order_by("name_key", "pk"))


def save_alert(
    *, actor: Actor, level: Decimal, recipient_ids: Iterable[int], now: datetime | None = None
) -> LowBalanceAlert:
    """The recipients are told each time the balance falls below the level (> 0), and at once if it
    is below already; without recipients all administrators are.

    Raises NotAllowed, InvalidAmount, UnknownMember for who is not active administrator or finance.
    """
    actor.require_administrator()
    at = now or utc_now()
    checked = checked_amount(level, field="level")
    wanted = sorted(set(recipient_ids))
    with transaction.atomic():
        purse_id = ensure_accounts(actor.company).company
        alert = _lock(actor.company.pk, at)
        before = alert.level
        _require_recipients(actor.company, wanted)
        _look(alert)
        had = _store_recipients(alert, wanted)
        if before == checked and had == wanted:
            return alert
        purse = Account.objects.get(pk=purse_id)
        is_below = purse.balance < checked
        if is_below and not alert.is_below:
            _tell(alert.company, alert, checked, purse.version, purse.balance)
        alert.level, alert.is_below, alert.changed_at = checked, is_below, at
        alert.save(update_fields=["level", "is_below", "changed_at"])
        watch_purse(purse_id, checked, purse.version)
        subject = f"company:{actor.company.pk}"
        record(actor, "save_low_balance_alert", subject=subject, level=checked, recipients=wanted)
    return alert


def switch_off_alert(*, actor: Actor, now: datetime | None = None) -> None:
    """Nobody is told of a low balance any more; who was to be told is remembered."""
    actor.require_administrator()
    with transaction.atomic():
        alert = (
            LowBalanceAlert.objects.select_for_update(no_key=True)
            .filter(company=actor.company, level__isnull=False)
            .first()
        )
        if alert is None:
            return
        alert.level, alert.is_below, alert.changed_at = None, False, now or utc_now()
        alert.save(update_fields=["level", "is_below", "changed_at"])
        watch_purse(ensure_accounts(actor.company).company, None, None)
        record(actor, "switch_off_low_balance_alert", subject=f"company:{actor.company.pk}")


def look_at_balance(company_id: int) -> int:
    """Every crossing of the company's level until now was told; how many were found."""
    with transaction.atomic():
        alert = (
            LowBalanceAlert.objects.select_for_update(no_key=True, of=("self",))
            .select_related("company")
            .filter(company=company_id, level__isnull=False)
            .first()
        )
        return _look(alert) if alert else 0


def sweep_low_balances() -> int:
    """Every company whose purse moved since it was looked at has been; crossings found."""
    moved = Account.objects.filter(is_unlooked=True).values_list("company_id", flat=True)
    return sum(_try(pk) for pk in list(moved))


def _try(company_id: int) -> int:
    with OneOfMany(logger, "low balance of company %s cannot be told", company_id):
        return look_at_balance(company_id)
    return 0


def _lock(company_id: int, now: datetime) -> LowBalanceAlert:
    LowBalanceAlert.objects.bulk_create(
        [LowBalanceAlert(company_id=company_id, changed_at=now)], ignore_conflicts=True
    )
    return (
        LowBalanceAlert.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company")
        .get(company=company_id)
    )


def _look(alert: LowBalanceAlert) -> int:
    """Inside a transaction that holds the alert: crossings since the last look are told."""
    if alert.level is None:
        return 0
    # The row and the transfers that made it are seen together, without a lock on the purse.
    purse = purse_of_company(alert.company_id).get()
    if not purse.is_unlooked:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            CROSSINGS,
            {
                "purse": purse.pk,
                "after": purse.alert_looked_version,
                "until": purse.version,
                "level": alert.level,
                "was_below": alert.is_below,
                "limit": TOLD_AT_ONCE,
            },
        )
        crossings = cursor.fetchall()
    for version, balance in reversed(crossings):
        _tell(alert.company, alert, alert.level, version, balance)
    is_below = purse.balance < alert.level
    if is_below != alert.is_below:
        alert.is_below = is_below
        alert.save(update_fields=["is_below"])
    watch_purse(purse.pk, alert.level, purse.version)
    return len(crossings)


def _tell(
    company: Company, alert: LowBalanceAlert, level: Decimal, version: int, balance: Decimal
) -> None:
    key = f"low_balance:{version}"
    facts = {
        "level": str(level),
        "balance": str(balance),
        "currency": company.currency,
        "url": reverse("dashboard"),
    }
    wanted = [member.pk for member in _recipients(alert)]
    if wanted:
        tell_members(company, wanted, NoticeKind.LOW_BALANCE, key=key, **facts)
    else:
        tell_administrators(company, NoticeKind.LOW_BALANCE, key=key, **facts)


def _recipients(alert: LowBalanceAlert) -> list[Member]:
    """Those chosen who may still read the balance, by name."""
    chosen = LowBalanceRecipient.objects.filter(alert=alert).values("member_id")
    found = Member.objects.filter(pk__in=chosen, role__in=READERS, status=Member.Status.ACTIVE)
    return list(found.order_by("name_key", "pk"))


def _require_recipients(company: Company, wanted: list[int]) -> None:
    known = {member.pk for member in possible_recipients(company)}
    if not known.issuperset(wanted):
        raise UnknownMember(
            _("Choose among the active administrators and finance of your company."),
            field="recipients",
        )


def _store_recipients(alert: LowBalanceAlert, wanted: list[int]) -> list[int]:
    """The alert has these recipients; gives those it had."""
    stored = LowBalanceRecipient.objects.filter(alert=alert)
    had = sorted(stored.values_list("member_id", flat=True))
    if had != wanted:
        stored.exclude(member_id__in=wanted).delete()
        LowBalanceRecipient.objects.bulk_create(
            [
                LowBalanceRecipient(company_id=alert.company_id, alert=alert, member_id=pk)
                for pk in wanted
                if pk not in had
            ]
        )
    return had
