"""Charges calls. Its one rule: each call once, in the order given, against what is available when
its turn comes; what is missing is never collected later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Case, Value, When

from credit.accounts import Accounts, ensure_accounts
from credit.call_rows import CallRow, ReportedCall, member_key, read_row
from credit.ledger import Move, Posting, atomically
from credit.models import Account, Call, Transfer
from credit.money import ZERO
from credit.rating import RateBook, Tariff
from credit.recharge import Recharger, lock_rules
from members.models import Company, Member
from skypemgr.lib.periods import utc_now

BATCH = 1000
INSERT_CALLS = """
INSERT INTO credit_call (
  company_id, member_id, source, external_id, destination, country, kind, started_at,
  duration_seconds, billed_seconds, rate_id, price, collected, uncollected, transfer_id,
  booked_on, created_at)
SELECT %(company)s, row.*, %(now)s
  FROM unnest(
    %(members)s::bigint[], %(sources)s::text[], %(ids)s::text[], %(destinations)s::text[],
    %(countries)s::text[], %(kinds)s::text[], %(started)s::timestamptz[], %(durations)s::int[],
    %(billed)s::int[], %(rates)s::bigint[], %(prices)s::numeric[], %(collected)s::numeric[],
    %(uncollected)s::numeric[], %(transfers)s::bigint[], %(days)s::date[]
  ) AS row
"""


@dataclass(frozen=True, slots=True)
class CallResult:
    """What became of one reported call. ``status``: charged, already_there, refused (then
    ``code``). price = collected + uncollected, in the company's currency, 4 decimals.
    """

    source: str
    id: str
    status: str
    price: Decimal = ZERO
    collected: Decimal = ZERO
    uncollected: Decimal = ZERO
    code: str = ""


@dataclass(slots=True)
class _Charged:
    call: ReportedCall
    tariff: Tariff | None
    billed_seconds: int
    price: Decimal
    collected: Decimal
    key: str
    booked_on: date


class _CompanyNeeded(Exception):
    """A rule came due, and the company's purse, which is locked first, is not locked."""


def charge_calls(
    company: Company, rows: Sequence[CallRow], *, now: datetime | None = None
) -> list[CallResult]:
    """Every row has been charged, found already there, or refused with a code; in order.

    A rule that a call makes due has been evaluated before that member's next call, so a batch
    gives what its calls one by one give. A thousand rows are one transaction.
    """
    instant = now or utc_now()
    results: list[CallResult] = []
    for start in range(0, len(rows), BATCH):
        results.extend(_charge_batch(company, rows[start : start + BATCH], instant))
    return results


def _charge_batch(company: Company, rows: Sequence[CallRow], now: datetime) -> list[CallResult]:
    members = find_members(company, [row.member for row in rows])
    read = [read_row(row, members, country=company.country, now=now) for row in rows]
    calls = [call for call in read if isinstance(call, ReportedCall)]
    book = RateBook(company, {call.destination[1:] for call in calls if not call.is_emergency})
    try:
        charged = atomically(lambda: _Batch(company, book, now).charge(calls, with_company=False))
    except _CompanyNeeded:
        charged = atomically(lambda: _Batch(company, book, now).charge(calls, with_company=True))
    outcomes = iter(charged)
    return [
        next(outcomes)
        if isinstance(call, ReportedCall)
        else CallResult(str(row.source or ""), str(row.id or ""), "refused", code=call)
        for row, call in zip(rows, read, strict=True)
    ]


def find_members(company: Company, values: Iterable[object]) -> dict[int | str, int]:
    """The company's members by id and by user name; whoever is there now before one who left."""
    keys = {member_key(value) for value in values}
    ids = {key for key in keys if isinstance(key, int) and 0 < key < 2**63}
    names = {key for key in keys if isinstance(key, str) and "\0" not in key}
    gone = Case(When(status__in=("active", "suspended"), then=Value(1)), default=Value(0))
    rows = Member.objects.filter(company=company).order_by(gone, "pk")
    found: dict[int | str, int] = {
        name: pk
        for name, pk in rows.filter(user__username__in=names).values_list("user__username", "pk")
        if name is not None
    }
    found.update((pk, pk) for pk in rows.filter(pk__in=ids).values_list("pk", flat=True))
    return found


class _Batch:
    """One transaction's calls."""

    def __init__(self, company: Company, book: RateBook, now: datetime) -> None:
        self.company = company
        self.book = book
        self.now = now
        self.seen: dict[tuple[str, str], tuple[ReportedCall, CallResult]] = {}
        self.charged: list[_Charged] = []

    def charge(self, calls: Sequence[ReportedCall], *, with_company: bool) -> list[CallResult]:
        if not calls:
            return []
        accounts = ensure_accounts(self.company, {call.member_id for call in calls})
        rules = lock_rules(self.company.pk, accounts.members.values())
        ids = [*accounts.members.values(), accounts.calls]
        keys = [_key(call) for call in calls]
        needed = with_company or (bool(rules) and self._may_come_due(accounts, calls))
        posting = Posting.open(
            self.company.pk, [*ids, accounts.company] if needed else ids, keys=keys, now=self.now
        )
        recharger = None
        if needed and posting.company_state == Company.State.ACTIVE:
            recharger = Recharger(posting, accounts.company, rules)
        self._load_known(calls)
        results = []
        for call in calls:
            results.append(self._charge_one(posting, accounts, call))
            purse = posting.purses[accounts.members[call.member_id]]
            if purse.id in rules and purse.is_due(posting.today):
                if not needed:
                    raise _CompanyNeeded
                if recharger is not None:
                    recharger.apply(purse.id)
        posting.write()
        if recharger is not None:
            recharger.save()
        self._insert(posting)
        return results

    def _may_come_due(self, accounts: Accounts, calls: Sequence[ReportedCall]) -> bool:
        """A guess before the locks: would these calls bring an armed purse below its level?"""
        spent: dict[int, Decimal] = {}
        for call in calls:
            _tariff, _billed, price = self._price(call)
            account = accounts.members[call.member_id]
            spent[account] = spent.get(account, ZERO) + price
        armed = Account.objects.filter(pk__in=spent, recharge_below__isnull=False)
        rows = armed.values_list("pk", "balance", "recharge_below")
        return any(balance - spent[pk] < below for pk, balance, below in rows if below is not None)

    def _price(self, call: ReportedCall) -> tuple[Tariff | None, int, Decimal]:
        if call.is_emergency:
            return None, call.duration_seconds, ZERO
        tariff = self.book.find(call.destination[1:], call.started_at)
        if tariff is None:
            return None, 0, ZERO
        billed = tariff.billed_seconds(call.duration_seconds)
        return tariff, billed, tariff.price(billed)

    def _load_known(self, calls: Sequence[ReportedCall]) -> None:
        """Calls reported before, read now that the members' purses are locked."""
        wanted = {(call.source, call.id) for call in calls}
        rows = Call.objects.filter(
            company=self.company,
            source__in={source for source, _id in wanted},
            external_id__in={pk for _source, pk in wanted},
        )
        for row in rows:
            name = (row.source, row.external_id)
            if name in wanted:
                before = ReportedCall(
                    *name, row.member_id, row.destination, row.started_at, row.duration_seconds
                )
                result = CallResult(
                    *name, "already_there", row.price, row.collected, row.uncollected
                )
                self.seen[name] = (before, result)

    def _charge_one(self, posting: Posting, accounts: Accounts, call: ReportedCall) -> CallResult:
        name = (call.source, call.id)
        if name in self.seen:
            before, result = self.seen[name]
            if before == call:
                return result
            return CallResult(*name, "refused", code="call_conflict")
        tariff, billed, price = self._price(call)
        if tariff is None and not call.is_emergency:
            return CallResult(*name, "refused", code="no_rate")
        account = accounts.members[call.member_id]
        collected = min(price, posting.purses[account].available)
        booked_on = posting.booked_on(account)
        if collected > 0:
            move = Move(
                Transfer.Kind.CALL,
                account,
                accounts.calls,
                collected,
                _key(call),
                occurred_at=call.started_at,
            )
            booked_on = posting.transfer(move).booked_on
        self.charged.append(_Charged(call, tariff, billed, price, collected, _key(call), booked_on))
        amounts = (price, collected, price - collected)
        self.seen[name] = (call, CallResult(*name, "already_there", *amounts))
        return CallResult(*name, "charged", *amounts)

    def _insert(self, posting: Posting) -> None:
        rows = self.charged
        if not rows:
            return
        posted = [posting.known(row.key) if row.collected else None for row in rows]
        parameters: dict[str, Any] = {
            "company": self.company.pk,
            "now": self.now,
            "members": [row.call.member_id for row in rows],
            "sources": [row.call.source for row in rows],
            "ids": [row.call.id for row in rows],
            "destinations": [row.call.destination for row in rows],
            "countries": [row.tariff.country if row.tariff else "" for row in rows],
            "kinds": [row.tariff.kind if row.tariff else "emergency" for row in rows],
            "started": [row.call.started_at for row in rows],
            "durations": [row.call.duration_seconds for row in rows],
            "billed": [row.billed_seconds for row in rows],
            "rates": [row.tariff.id if row.tariff else None for row in rows],
            "prices": [row.price for row in rows],
            "collected": [row.collected for row in rows],
            "uncollected": [row.price - row.collected for row in rows],
            "transfers": [transfer.id if transfer else None for transfer in posted],
            "days": [row.booked_on for row in rows],
        }
        with connection.cursor() as cursor:
            cursor.execute(INSERT_CALLS, parameters)


def _key(call: ReportedCall) -> str:
    return f"call:{call.source}:{call.id}"
