"""Charges the calls of one transaction. Its one rule: rules, holds and allowances are locked before
purses, and whatever was reported before is read once the purses are locked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from credit.accounts import Accounts, ensure_accounts
from credit.allowances import IncludedMinutes, Share
from credit.call_rows import ReportedCall
from credit.ledger import Move, Posting
from credit.models import Account, Call, Hold, Transfer
from credit.money import ZERO
from credit.rating import RateBook, Tariff
from credit.recharge import Recharger, lock_rules
from credit.usage_locks import HOLD_DAYS
from members.models import Company
from skypemgr.lib import live
from skypemgr.lib.arrays import Among, AmongTexts, array, texts
from skypemgr.lib.periods import day_in
from skypemgr.lib.prepared import Prepared, fetch_all

# A call booked into a day that is summed already is noted beside the sums. One row is read, by key.
INSERT_CALLS = Prepared("""
WITH stored AS (
  INSERT INTO credit_call (
    company_id, member_id, source, external_id, destination, country, kind, started_at,
    duration_seconds, billed_seconds, included_seconds, rate_id, price, collected, uncollected,
    transfer_id, booked_on, started_on, created_at)
  SELECT %(company)s::bigint, row.*, %(now)s::timestamptz
    FROM unnest(
      %(members)s::bigint[], %(sources)s::text[], %(ids)s::text[], %(destinations)s::text[],
      %(countries)s::text[], %(kinds)s::text[], %(started)s::timestamptz[], %(durations)s::int[],
      %(billed)s::int[], %(included)s::int[], %(rates)s::bigint[], %(prices)s::numeric[],
      %(collected)s::numeric[], %(uncollected)s::numeric[], %(transfers)s::bigint[],
      %(days)s::date[], %(start_days)s::date[]
    ) AS row
  RETURNING id, source, external_id, booked_on
), late AS (
  INSERT INTO credit_usagelate (call_id, company_id)
  SELECT stored.id, %(company)s::bigint
    FROM stored
    JOIN credit_usagerolled rolled ON rolled.company_id = %(company)s::bigint
     AND stored.booked_on BETWEEN rolled.since AND rolled.through
)
SELECT id, source, external_id FROM stored
""")


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
class Charged:
    """A call that is to be stored, and what it cost."""

    call: ReportedCall
    tariff: Tariff | None
    billed_seconds: int
    shares: list[Share]
    price: Decimal
    collected: Decimal
    key: str
    booked_on: date
    started_on: date

    @property
    def included_seconds(self) -> int:
        """Billed seconds that allowances paid."""
        return sum(share.seconds for share in self.shares)


class CompanyNeeded(Exception):
    """A rule came due, and the company's purse, which is locked first, is not locked."""


def call_key(source: str, external_id: str) -> str:
    """The transfer's key of a call."""
    return f"call:{source}:{external_id}"


class Batch:
    """One transaction's calls."""

    def __init__(self, company: Company, book: RateBook, now: datetime) -> None:
        self.company = company
        self.book = book
        self.now = now
        self.seen: dict[tuple[str, str], tuple[ReportedCall, CallResult]] = {}
        self.holds: dict[tuple[str, str], Hold] = {}
        self.ended: list[Hold] = []
        self.charged: list[Charged] = []
        self.minutes = IncludedMinutes((), ())

    def charge(self, calls: Sequence[ReportedCall], *, with_company: bool) -> list[CallResult]:
        """Each call is charged, found already there or refused, in order; all is written."""
        if not calls:
            return []
        accounts = ensure_accounts(self.company, {call.member_id for call in calls})
        rules = lock_rules(self.company.pk, accounts.members.values())
        self._lock_holds(calls)
        self.minutes = self._lock_minutes(calls)
        ids = [*accounts.members.values(), accounts.calls]
        needed = with_company or (bool(rules) and self._may_come_due(accounts, calls))
        posting = Posting.open(
            self.company.pk,
            [*ids, accounts.company] if needed else ids,
            # Whoever has the key is the call's own transfer: the calls are read instead, below.
            keys=(),
            now=self.now,
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
                    raise CompanyNeeded
                if recharger is not None:
                    recharger.apply(purse.id)
        if not posting.write() and self.charged:
            # Calls that cost nothing move no credit, but pages show them.
            live.bump(self.company.pk)
        if recharger is not None:
            recharger.save()
        self._store(posting)
        return results

    def _lock_holds(self, calls: Sequence[ReportedCall]) -> None:
        wanted = {(call.source, call.id) for call in calls}
        holds = _named(Hold, self.company, wanted)
        for hold in holds.order_by("pk").select_for_update(of=("self",), no_key=True):
            if (hold.source, hold.external_id) in wanted:
                self.holds[hold.source, hold.external_id] = hold

    def _lock_minutes(self, calls: Sequence[ReportedCall]) -> IncludedMinutes:
        starts = [call.started_at for call in calls]
        return IncludedMinutes.lock(
            self.company.pk,
            {call.member_id for call in calls},
            since=min(starts),
            until=max(starts),
            hold_ids=[hold.pk for hold in self.holds.values()],
        )

    def _may_come_due(self, accounts: Accounts, calls: Sequence[ReportedCall]) -> bool:
        """A guess before the locks: would these calls bring an armed purse below its level?

        Included minutes are left out of it: at worst the company's purse is locked for nothing.
        """
        spent: dict[int, Decimal] = {}
        for call in calls:
            _tariff, _billed, price = self._price(call)
            account = accounts.members[call.member_id]
            spent[account] = spent.get(account, ZERO) + price
        armed = Account.objects.filter(Among("pk", spent), recharge_below__isnull=False)
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
        for row in _named(Call, self.company, wanted):
            name = (row.source, row.external_id)
            if name in wanted:
                before = ReportedCall(
                    *name, row.member_id, row.destination, row.started_at, row.duration_seconds
                )
                amounts = (row.price, row.collected, row.uncollected)
                self.seen[name] = (before, CallResult(*name, "already_there", *amounts))

    def _charge_one(self, posting: Posting, accounts: Accounts, call: ReportedCall) -> CallResult:
        name = (call.source, call.id)
        hold = self.holds.get(name)
        if name in self.seen:
            before, result = self.seen[name]
            if before == call:
                return result
            return CallResult(*name, "refused", code="call_conflict")
        if hold and (hold.member_id, hold.destination) != (call.member_id, call.destination):
            return CallResult(*name, "refused", code="call_conflict")
        tariff, billed, price = self._price(call)
        if tariff is None and not call.is_emergency:
            return CallResult(*name, "refused", code="no_rate")
        account = accounts.members[call.member_id]
        if hold is not None:
            self._end(posting, hold)
        shares: list[Share] = []
        if tariff is not None and not tariff.is_free:
            digits = call.destination[1:]
            shares = self.minutes.take(call.member_id, digits, call.started_at, billed)
        if tariff is not None and shares:
            price = tariff.price(billed - sum(share.seconds for share in shares))
        collected = min(price, posting.purses[account].available)
        booked_on = posting.booked_on(account)
        key = call_key(*name)
        if collected > 0:
            move = Move(
                Transfer.Kind.CALL,
                account,
                accounts.calls,
                collected,
                key,
                occurred_at=call.started_at,
            )
            booked_on = posting.transfer(move).booked_on
        # Not in a day that is still to come, though the clock that reported it may be ahead.
        started_on = min(day_in(posting.zone, call.started_at), booked_on)
        self.charged.append(
            Charged(call, tariff, billed, shares, price, collected, key, booked_on, started_on)
        )
        amounts = (price, collected, price - collected)
        self.seen[name] = (call, CallResult(*name, "already_there", *amounts))
        return CallResult(*name, "charged", *amounts)

    def _end(self, posting: Posting, hold: Hold) -> None:
        """What the call had set aside is there for it first; nobody else comes between."""
        if hold.status == Hold.Status.OPEN:
            posting.hold(hold.account_id, -hold.amount)
            self.minutes.give_back(hold.pk)
        hold.status, hold.ended_at = Hold.Status.SETTLED, self.now
        self.ended.append(hold)

    def _store(self, posting: Posting) -> None:
        rows = self.charged
        if not rows:
            return
        posted = [posting.known(row.key) if row.collected else None for row in rows]
        parameters: dict[str, Any] = {
            "company": self.company.pk,
            "now": self.now,
            "members": array(row.call.member_id for row in rows),
            "sources": texts(row.call.source for row in rows),
            "ids": texts(row.call.id for row in rows),
            "destinations": array(row.call.destination for row in rows),
            "countries": texts(row.tariff.country if row.tariff else "" for row in rows),
            "kinds": texts(row.tariff.kind if row.tariff else "emergency" for row in rows),
            "started": array(row.call.started_at for row in rows),
            "durations": array(row.call.duration_seconds for row in rows),
            "billed": array(row.billed_seconds for row in rows),
            "included": array(row.included_seconds for row in rows),
            "rates": array(row.tariff.id if row.tariff else None for row in rows),
            "prices": array(row.price for row in rows),
            "collected": array(row.collected for row in rows),
            "uncollected": array(row.price - row.collected for row in rows),
            "transfers": array(transfer.id if transfer else None for transfer in posted),
            "days": array(row.booked_on for row in rows),
            "start_days": array(row.started_on for row in rows),
        }
        held = {"company": self.company.pk, "booking_days": _days(rows)}
        inserted = fetch_all((HOLD_DAYS, held), (INSERT_CALLS, parameters))
        stored = {(source, name): pk for pk, source, name in inserted}
        self.minutes.store(
            [(stored[row.call.source, row.call.id], share) for row in rows for share in row.shares]
        )
        for hold in self.ended:
            hold.call_id = stored[hold.source, hold.external_id]
        if self.ended:
            Hold.objects.bulk_update(self.ended, ("status", "ended_at", "call"), batch_size=1000)


def _days(rows: Sequence[Charged]) -> str:
    """The days on which they are booked, in order: whoever holds several takes the oldest first."""
    return array(sorted({row.booked_on for row in rows}))


def _named(model: Any, company: Company, names: set[tuple[str, str]]) -> Any:
    """A little more than the rows of these (source, id): those of any of the sources and ids."""
    return model.objects.filter(
        AmongTexts("source", {source for source, _name in names}),
        AmongTexts("external_id", {name for _source, name in names}),
        company=company,
    )
