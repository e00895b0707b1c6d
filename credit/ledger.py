"""The only writer of balances.

Its one rule: purses are locked in order of id, then keys are looked up, then funds are checked,
then everything is written in one statement; all moves or none. See docs/ledger.md.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from credit import posting_sql
from credit.errors import CreditError, KeyConflict, NotEnoughCredit, UnknownAccount
from credit.money import checked_amount
from members.models.companies import zone_in_force
from skypemgr.lib import live
from skypemgr.lib.arrays import array, padded, texts
from skypemgr.lib.periods import day_in
from skypemgr.lib.prepared import Call, fetch_all
from skypemgr.lib.wake import wake

T = TypeVar("T")
PURSE_KINDS = ("company", "member")
MOVES_LIMIT = 10_000
PURSE_COLUMNS = 11
COMPANY_COLUMNS = 5
TAKEN_MEANWHILE = ("transfer_key_unique", "call_charged_once", "hold_once")


class Move(NamedTuple):
    """A wish to move ``amount`` (> 0, 4 decimals) between two accounts, by id.

    ``key`` names the fact within the company; ``occurred_at`` is information, by default the
    posting's now; ``actor_id`` is a member.
    """

    kind: str
    source: int
    destination: int
    amount: Decimal
    key: str
    occurred_at: datetime | None = None
    actor_id: int | None = None
    reverses: int | None = None


@dataclass(slots=True)
class Posted:
    """A move that is in the ledger. ``already``: it was there before this posting."""

    move: Move
    booked_on: date
    source_balance_after: Decimal | None
    source_version: int | None
    destination_balance_after: Decimal | None
    destination_version: int | None
    id: int = 0
    already: bool = False


@dataclass(slots=True)
class Purse:
    """A locked account as it will be once the posting is written."""

    id: int
    kind: str
    currency: str
    balance: Decimal
    held: Decimal
    version: int
    last_booked_on: date | None
    recharge_below: Decimal | None
    recharge_resumes_on: date | None
    member_id: int | None
    alert_below: Decimal | None
    touched: bool = False

    @property
    def is_purse(self) -> bool:
        """Whether the account carries a balance."""
        return self.kind in PURSE_KINDS

    @property
    def available(self) -> Decimal:
        """What may leave the purse now."""
        return self.balance - self.held

    def is_due(self, on: date) -> bool:
        """Whether a rule waits for this purse on that day, its suspension over or none."""
        if self.recharge_below is None or self.balance >= self.recharge_below:
            return False
        return self.recharge_resumes_on is None or self.recharge_resumes_on <= on

    @property
    def is_low(self) -> bool:
        """Whether the company wants to know that its balance is so low."""
        return self.alert_below is not None and self.balance < self.alert_below


class Posting:
    """Locked purses, and the moves made over them in memory, until ``write`` posts all at once.

    Open it inside a transaction; ``transfer`` adds a move, or raises and changes nothing.
    """

    def __init__(
        self,
        company_id: int,
        purses: dict[int, Purse],
        *,
        state: str,
        zone: str,
        today: date,
        now: datetime,
    ) -> None:
        self.company_id = company_id
        self.purses = purses
        self.company_state = state
        self.zone = zone
        self.now = now
        self.today = today
        self._known: dict[str, Posted] = {}
        self._new: list[Posted] = []

    @classmethod
    def open(
        cls, company_id: int, account_ids: Iterable[int], *, keys: Sequence[str], now: datetime
    ) -> "Posting":
        """The accounts' purses are locked and the keys looked up. Two queries, one without keys."""
        if not connection.in_atomic_block:
            raise AssertionError("a posting lives inside a transaction")
        wanted = sorted(set(account_ids))
        rows = fetch_all((posting_sql.LOCK_PURSES, {"company": company_id, "ids": array(wanted)}))
        purses = {row[0]: Purse(*row[:PURSE_COLUMNS]) for row in rows}
        if len(purses) < len(wanted):
            raise UnknownAccount(_("This account is not in the company's ledger."))
        found: list[tuple[Any, ...]] = []
        if keys or not rows:
            found = fetch_all((posting_sql.LOOK_UP, {"company": company_id, "keys": texts(keys)}))
        company = found[0][:COMPANY_COLUMNS] if found else rows[0][PURSE_COLUMNS:]
        posting = cls.over(company_id, purses, company, now=now)
        transfers = (fields[COMPANY_COLUMNS:] for fields in found)
        for pk, *row in (fields for fields in transfers if fields[0] is not None):
            posted = Posted(Move(*row[:8]), *row[8:])
            posted.id, posted.already = pk, True
            posting._known[posted.move.key] = posted
        return posting

    @classmethod
    def over(
        cls, company_id: int, purses: dict[int, Purse], company: Sequence[Any], *, now: datetime
    ) -> "Posting":
        """A posting over purses locked by the caller, none of whose keys can be known yet;
        ``company`` is its row as the statements of ``posting_sql`` select it."""
        state, zone, next_zone, changes_on, booked_from = company
        zone = zone_in_force(zone, next_zone, changes_on, now)
        today = day_in(zone, now)
        # A clock that is behind books nothing into a closed month.
        if booked_from is not None and today < booked_from:
            today = booked_from
        return cls(company_id, purses, state=state, zone=zone, today=today, now=now)

    def known(self, key: str) -> Posted | None:
        """What the key already names, in the ledger or in this posting."""
        return self._known.get(key)

    def booked_on(self, *account_ids: int) -> date:
        """The day on which a move between these accounts is booked: today, never earlier than
        either purse's last."""
        day = self.today
        for pk in account_ids:
            last = self.purses[pk].last_booked_on
            if last is not None and last > day:
                day = last
        return day

    def transfer(self, move: Move) -> Posted:
        """The move is part of the posting; the one already there if its key is known."""
        known = self._known.get(move.key)
        if known is not None:
            return _same_or_conflict(known, move)
        amount = checked_amount(move.amount)
        try:
            source, destination = self.purses[move.source], self.purses[move.destination]
        except KeyError as error:
            raise UnknownAccount(_("This account is not in the company's ledger.")) from error
        if source.is_purse and source.available < amount:
            raise NotEnoughCredit(_("There is not enough credit."), field="amount", key=move.key)
        posted = Posted(move, self.booked_on(move.source, move.destination), None, None, None, None)
        if source.is_purse:
            source.balance -= amount
            posted.source_balance_after, posted.source_version = self._step(source, posted)
        if destination.is_purse:
            destination.balance += amount
            posted.destination_balance_after, posted.destination_version = self._step(
                destination, posted
            )
        self._known[move.key] = posted
        self._new.append(posted)
        return posted

    def hold(self, account: int, amount: Decimal) -> None:
        """The amount, at most what is available, is set aside; a negative one is given back."""
        purse = self.purses[account]
        if amount > purse.available or purse.held + amount < 0:
            raise NotEnoughCredit(_("There is not enough credit."), field="amount")
        if amount:
            purse.held += amount
            purse.touched = True

    def _step(self, purse: Purse, posted: Posted) -> tuple[Decimal, int]:
        purse.version += 1
        purse.last_booked_on = posted.booked_on
        purse.touched = True
        return purse.balance, purse.version

    def write(self, *beside: Call) -> list[Posted]:
        """All moves and holds since the last write are stored, with balances and daily totals.

        One round trip, which takes the statements beside along. Whoever waits for a due purse or
        for the company's credit is told.
        """
        written, self._new = self._new, []
        touched = [purse for purse in self.purses.values() if purse.touched]
        if not touched:
            return []
        ids = dict(fetch_all(*beside, (posting_sql.WRITE, self._parameters(written, touched))))
        for posted in written:
            posted.id = ids[posted.move.key]
        for purse in touched:
            purse.touched = False
            if purse.is_due(self.today) or purse.is_low:
                if purse.kind == "member":
                    wake("purse.due", purse.id)
                else:
                    wake("company.debited", self.company_id)
        if any(self.purses[posted.move.destination].kind == "company" for posted in written):
            wake("company.credited", self.company_id)
        live.bump(self.company_id)
        return written

    def _parameters(self, written: list[Posted], touched: list[Purse]) -> dict[str, Any]:
        totals = _daily_totals(written, self.purses)
        spent = _spent(totals, self.purses)
        kind_of = {purse.id: purse.kind for purse in self.purses.values()}
        moves = _turned([posted.move for posted in written], len(Move._fields))
        kinds, sources, destinations, amounts, keys, occurred, actors, reverses = moves
        total_accounts, total_days, total_kinds = _turned(totals, 3)
        total_in, total_out, total_counts = _turned(totals.values(), 3)
        return {
            "company": self.company_id,
            "now": self.now,
            "currency": touched[0].currency,
            "kinds": array(kinds),
            "sources": array(sources),
            "source_kinds": array(kind_of[pk] for pk in sources),
            "destinations": array(destinations),
            "destination_kinds": array(kind_of[pk] for pk in destinations),
            "amounts": array(amounts),
            "keys": texts(keys),
            "days": _column(written, "booked_on"),
            "occurred": padded(occurred),
            "actors": padded(actors),
            "reverses": padded(reverses),
            "source_balances": _column(written, "source_balance_after"),
            "source_versions": _column(written, "source_version"),
            "destination_balances": _column(written, "destination_balance_after"),
            "destination_versions": _column(written, "destination_version"),
            "purse_ids": _column(touched, "id"),
            "purse_balances": _column(touched, "balance"),
            "purse_helds": _column(touched, "held"),
            "purse_versions": _column(touched, "version"),
            "purse_days": _column(touched, "last_booked_on"),
            "purse_spent": array(spent.get(purse.id, 0) for purse in touched),
            "total_accounts": array(total_accounts),
            "total_days": array(total_days),
            "total_kinds": array(total_kinds),
            "total_in": array(total_in),
            "total_out": array(total_out),
            "total_counts": array(total_counts),
        }


def _column(rows: Iterable[object], name: str) -> str:
    """One attribute of all, as an array."""
    return array(map(attrgetter(name), rows))


def _turned(rows: Iterable[Iterable[Any]], width: int) -> list[tuple[Any, ...]]:
    """The columns of the rows: as many as a row is wide, even if there is none."""
    return list(zip(*rows, strict=True)) or [()] * width


def _same_or_conflict(known: Posted, move: Move) -> Posted:
    before = known.move
    same = (before.kind, before.source, before.destination, before.amount) == (
        move.kind,
        move.source,
        move.destination,
        move.amount,
    )
    if not same:
        raise KeyConflict(_("This key already names another movement."), key=move.key)
    return known


def _daily_totals(
    written: list[Posted], purses: dict[int, Purse]
) -> dict[tuple[int, date, str], list[Decimal | int]]:
    """In, out and number of moves by (purse, day, kind), in order of purse id."""
    totals: dict[tuple[int, date, str], list[Decimal | int]] = {}
    zero = Decimal(0)
    for posted in written:
        move = posted.move
        for place, account in ((1, move.source), (0, move.destination)):
            if purses[account].is_purse:
                name = (account, posted.booked_on, move.kind)
                total = totals.get(name)
                if total is None:
                    total = totals[name] = [zero, zero, 0]
                total[place] += move.amount
                total[2] += 1
    return dict(sorted(totals.items()))


def _spent(
    totals: dict[tuple[int, date, str], list[Decimal | int]], purses: dict[int, Purse]
) -> dict[int, Decimal | int]:
    """What calls took from each purse in the month of its last booking."""
    spent: dict[int, Decimal | int] = {}
    for (account, day, kind), total in totals.items():
        last = purses[account].last_booked_on
        if kind == "call" and last and (day.year, day.month) == (last.year, last.month):
            spent[account] = spent.get(account, 0) + total[1]
    return spent


def atomically(work: Callable[[], T]) -> T:
    """The work has been done in one transaction.

    A key taken at the same moment by a posting on other purses rolls back and runs it once more;
    inside a surrounding transaction that is the outermost verb's task.
    """
    if connection.in_atomic_block:
        # A savepoint: a refusal that the caller handles must leave nothing behind.
        with transaction.atomic():
            return work()
    try:
        with transaction.atomic():
            return work()
    except IntegrityError as error:
        if violated_constraint(error) not in TAKEN_MEANWHILE:
            raise
    with transaction.atomic():
        return work()


def violated_constraint(error: IntegrityError) -> str:
    """The name of the constraint that the database says was violated; empty if it does not say."""
    return str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or "")


def post_transfers(company_id: int, moves: Sequence[Move], *, now: datetime) -> list[Posted]:
    """All moves are in the ledger, in the given order, or none is and the first refusal is raised.

    A constant number of statements however many moves (at most 10,000). A move whose key is
    known already is returned as it stands (``already``); with another content KeyConflict.
    """
    if len(moves) > MOVES_LIMIT:
        raise CreditError(
            _("At most 10,000 movements can be posted at once."), code="too_many_moves"
        )

    def post() -> list[Posted]:
        accounts = {pk for move in moves for pk in (move.source, move.destination)}
        keys = [move.key for move in moves]
        posting = Posting.open(company_id, accounts, keys=keys, now=now)
        posted = [posting.transfer(move) for move in moves]
        posting.write()
        return posted

    return atomically(post) if moves else []
