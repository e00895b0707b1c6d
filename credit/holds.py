"""Asks for credit before a call, settles it after. Its one rule: what one call has set aside, no
other call of the member can spend.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from credit.accounts import Accounts, ensure_accounts
from credit.allowances import IncludedMinutes, Share
from credit.call_batch import CallResult
from credit.call_rows import CallRow, ReportedCall, read_row
from credit.calls import charge_calls, find_members
from credit.ledger import Posting, atomically
from credit.models import AllowanceHold, Call, Hold
from credit.money import ZERO
from credit.rating import RateBook, Tariff
from credit.recharge import Recharger, lock_rules
from members.models import Company, Member
from skypemgr.lib.errors import NotFound
from skypemgr.lib.periods import utc_now
from skypemgr.lib.sweeping import OneOfMany

logger = logging.getLogger(__name__)

# How long after its longest duration a call may still be settled from what it set aside.
GRACE = timedelta(minutes=10)
SWEPT_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Authorization:
    """Whether a call may start. ``max_seconds`` is how long what it set aside lasts.

    ``code`` when not: unknown_member, malformed_number, no_rate, member_suspended,
    not_enough_credit, call_conflict, missing_id.
    """

    allowed: bool
    code: str = ""
    hold_id: int | None = None
    amount: Decimal = ZERO
    max_seconds: int = 0


def authorize_call(
    company: Company,
    *,
    source: Any,
    id: Any,  # noqa: A002 - the name that phone systems give
    member: Any,
    destination: Any,
    now: datetime | None = None,
) -> Authorization:
    """Included minutes, then credit, for the longest call that can be paid are set aside, at most
    ``max_call_seconds``.

    Emergency numbers are never refused. Asked again for the same call, the first answer is given.
    A rule that could refill the purse is evaluated before the call is refused.
    """
    instant = now or utc_now()
    row = CallRow(source, id, member, destination, instant, 0)
    members = find_members(company, [member])
    call = read_row(row, members, country=company.country, now=instant)
    if not isinstance(call, ReportedCall):
        return Authorization(allowed=False, code=call)
    book = RateBook(company, () if call.is_emergency else (call.destination[1:],))
    tariff = None if call.is_emergency else book.find(call.destination[1:], instant)
    if tariff is None and not call.is_emergency:
        return Authorization(allowed=False, code="no_rate")
    # The second try holds the company's purse too, which is locked before the member's.
    for with_company in (False, True):
        asking = _Asking(company, call, tariff, instant)
        answer = atomically(partial(asking.answer, with_company=with_company))
        if answer.code != "not_enough_credit":
            break
    return answer


class _Asking:
    """One transaction's question."""

    def __init__(
        self, company: Company, call: ReportedCall, tariff: Tariff | None, now: datetime
    ) -> None:
        self.company = company
        self.call = call
        self.tariff = tariff
        self.now = now

    def answer(self, *, with_company: bool) -> Authorization:
        call = self.call
        accounts = ensure_accounts(self.company, [call.member_id])
        account = accounts.members[call.member_id]
        rules = lock_rules(self.company.pk, [account]) if with_company else {}
        minutes = self._minutes()
        ids = [account, accounts.company] if with_company else [account]
        posting = Posting.open(self.company.pk, ids, keys=(), now=self.now)
        known = self._known()
        if known is not None:
            return known
        status = Member.objects.values_list("status", flat=True).get(pk=call.member_id)
        if status == Member.Status.SUSPENDED and not call.is_emergency:
            return Authorization(allowed=False, code="member_suspended")
        if account in rules and posting.company_state == Company.State.ACTIVE:
            _refill(posting, accounts, account, rules)
        most = self.company.max_call_seconds
        available = posting.purses[account].available
        digits = call.destination[1:]
        included = minutes.free(call.member_id, digits, self.now)
        seconds = self.tariff.longest(available, most, included=included) if self.tariff else most
        if seconds == 0:
            posting.write()
            return Authorization(allowed=False, code="not_enough_credit")
        amount, shares = ZERO, []
        if self.tariff:
            billed = self.tariff.billed_seconds(seconds)
            shares = minutes.hold(call.member_id, digits, self.now, billed)
            paid = billed - sum(share.seconds for share in shares)
            amount = min(self.tariff.price(paid), available)
        posting.hold(account, amount)
        posting.write()
        minutes.store()
        return _answer(self._store(account, amount, shares, seconds))

    def _minutes(self) -> IncludedMinutes:
        """The member's allowances, locked; none for what costs nothing."""
        if self.tariff is None or self.tariff.is_free:
            return IncludedMinutes((), ())
        return IncludedMinutes.lock(
            self.company.pk, [self.call.member_id], since=self.now, until=self.now
        )

    def _known(self) -> Authorization | None:
        """What was answered before; read now that the purse is locked."""
        call = self.call
        name = {"source": call.source, "external_id": call.id}
        hold = Hold.objects.filter(company=self.company, **name).first()
        if hold is None:
            if Call.objects.filter(company=self.company, **name).exists():
                return Authorization(allowed=False, code="call_conflict")
            return None
        same = (hold.member_id, hold.destination) == (call.member_id, call.destination)
        if not same or hold.status != Hold.Status.OPEN:
            return Authorization(allowed=False, code="call_conflict")
        return _answer(hold)

    def _store(self, account: int, amount: Decimal, shares: list[Share], seconds: int) -> Hold:
        call = self.call
        hold = Hold.objects.create(
            company=self.company,
            member_id=call.member_id,
            account_id=account,
            source=call.source,
            external_id=call.id,
            destination=call.destination,
            rate_id=self.tariff.id if self.tariff else None,
            amount=amount,
            included_seconds=sum(share.seconds for share in shares),
            max_seconds=seconds,
            created_at=self.now,
            expires_at=self.now + timedelta(seconds=seconds) + GRACE,
        )
        if shares:
            AllowanceHold.objects.bulk_create(
                AllowanceHold(hold=hold, allowance_id=share.allowance_id, seconds=share.seconds)
                for share in shares
            )
        return hold


def _refill(posting: Posting, accounts: Accounts, account: int, rules: dict[int, Any]) -> None:
    if posting.purses[account].is_due(posting.today):
        recharger = Recharger(posting, accounts.company, rules)
        recharger.apply(account)
        posting.write()
        recharger.save()


def _answer(hold: Hold) -> Authorization:
    return Authorization(
        allowed=True, hold_id=hold.pk, amount=hold.amount, max_seconds=hold.max_seconds
    )


def find_hold(company: Company, hold_id: int) -> Hold:
    """The company's hold; any other is NotFound."""
    hold = Hold.objects.filter(company=company, pk=hold_id).first()
    if hold is None:
        raise NotFound(_("There is no such call in progress."), code="unknown_hold")
    return hold


def settle_call(
    company: Company,
    hold_id: int,
    *,
    started_at: Any,
    duration_seconds: Any,
    now: datetime | None = None,
) -> CallResult:
    """The call is charged as one row of ``charge_calls``: from what it set aside, then from what is
    available; the rest is uncollected. Late or repeated, it is charged once. NotFound without hold.
    """
    hold = find_hold(company, hold_id)
    row = CallRow(
        hold.source,
        hold.external_id,
        hold.member_id,
        hold.destination,
        started_at,
        duration_seconds,
    )
    return charge_calls(company, [row], now=now)[0]


def release_hold(company: Company, hold_id: int, *, now: datetime | None = None) -> bool:
    """What the call had set aside is available again; False if it had ended already."""
    find_hold(company, hold_id)
    return _end(company.pk, hold_id, Hold.Status.RELEASED, now or utc_now())


def expire_holds(*, now: datetime) -> int:
    """Calls never settled in time have given all back, at most 500; how many."""
    due = Hold.objects.filter(status=Hold.Status.OPEN, expires_at__lte=now).order_by("expires_at")
    rows = list(due.values_list("company_id", "pk")[:SWEPT_AT_ONCE])
    return sum(_try_to_expire(company, pk, now) for company, pk in rows)


def _try_to_expire(company_id: int, hold_id: int, now: datetime) -> bool:
    with OneOfMany(logger, "hold %s could not expire", hold_id):
        return _end(company_id, hold_id, Hold.Status.EXPIRED, now)
    return False


def _end(company_id: int, hold_id: int, status: str, now: datetime) -> bool:
    def work() -> bool:
        hold = Hold.objects.select_for_update(no_key=True, of=("self",)).get(
            company_id=company_id, pk=hold_id
        )
        if hold.status != Hold.Status.OPEN:
            return False
        minutes = IncludedMinutes.lock(company_id, (), since=now, until=now, hold_ids=[hold.pk])
        posting = Posting.open(company_id, [hold.account_id], keys=(), now=now)
        posting.hold(hold.account_id, -hold.amount)
        posting.write()
        minutes.give_back(hold.pk)
        minutes.store()
        hold.status, hold.ended_at = status, now
        hold.save(update_fields=("status", "ended_at"))
        return True

    return atomically(work)
