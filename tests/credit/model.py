"""What the engine should do, in plain Python. Its one rule: it loops where the engine computes, and
shares no arithmetic with it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

LONGEST_SECONDS = 3600
GRACE = timedelta(minutes=10)
AHEAD = timedelta(minutes=5)
NOTHING = Decimal(0)
Name = tuple[str, str]
# status, collected, uncollected, code
Result = tuple[str, Decimal, Decimal, str]


def _day(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@dataclass(frozen=True)
class Price:
    """A row of the deck."""

    per_minute: str
    fee: str = "0"
    minimum: int = 0
    increment: int = 1

    def of(self, seconds: int) -> Decimal:
        """What a call of that many seconds costs."""
        if seconds == 0:
            return NOTHING
        billed = max(seconds, self.minimum)
        while billed % self.increment:
            billed += 1
        exact = Fraction(self.fee) + Fraction(self.per_minute) * billed / 60
        units, rest = divmod(exact * 10_000, 1)
        return Decimal(int(units) + (1 if rest else 0)) / 10_000


@dataclass
class Purse:
    balance: Decimal = NOTHING
    held: Decimal = NOTHING
    last_day: date | None = None

    @property
    def available(self) -> Decimal:
        return self.balance - self.held


@dataclass
class Rule:
    number: int
    amount: Decimal = NOTHING
    threshold: Decimal = NOTHING
    limit: Decimal = NOTHING
    is_on: bool = True
    suspended_until: date | None = None
    waiting_since: datetime | None = None


@dataclass(frozen=True)
class Wish:
    """A call as reported."""

    name: Name
    member: int
    destination: str
    started_at: datetime
    seconds: int


@dataclass
class Held:
    member: int
    destination: str
    amount: Decimal
    seconds: int
    expires_at: datetime
    status: str = "open"


@dataclass
class Model:
    """A company, its members (by any number) and what they have."""

    zone: str
    prices: dict[str, Price]
    members: dict[int, Purse]
    company: Purse = field(default_factory=Purse)
    is_frozen: bool = False
    next_zone: str = ""
    next_zone_on: date | None = None
    suspended: set[int] = field(default_factory=set)
    rules: dict[int, Rule] = field(default_factory=dict)
    recharged: dict[tuple[int, int, int], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    calls: dict[Name, tuple[Wish, Result]] = field(default_factory=dict)
    holds: dict[Name, Held] = field(default_factory=dict)
    uncollected: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def zone_at(self, now: datetime) -> str:
        is_next = self.next_zone_on and _day(self.next_zone, now) >= self.next_zone_on
        return self.next_zone if is_next else self.zone

    def today(self, now: datetime) -> date:
        return _day(self.zone_at(now), now)

    def change_zone(self, zone: str, now: datetime) -> None:
        """In force from the first of the next month on, whichever zone gets there later."""
        self.zone = self.zone_at(now)
        self.next_zone, self.next_zone_on = "", None
        if zone != self.zone:
            later = max(_day(self.zone, now), _day(zone, now))
            self.next_zone, self.next_zone_on = zone, _next_month(later)

    def _next_day(self, now: datetime, *purses: Purse) -> date:
        """The day on which something would move between these purses."""
        return max([self.today(now), *(purse.last_day for purse in purses if purse.last_day)])

    def _book(self, now: datetime, *purses: Purse) -> None:
        day = self._next_day(now, *purses)
        for purse in purses:
            purse.last_day = day

    def purchase(self, amount: Decimal, now: datetime) -> None:
        self._book(now, self.company)
        self.company.balance += amount

    def allocate(self, members: Iterable[int], amount: Decimal, now: datetime) -> bool:
        """Whether all have received it; else nobody has."""
        chosen = sorted(members)
        if self.company.available < amount * len(chosen):
            return False
        for member in chosen:
            self._book(now, self.company, self.members[member])
            self.company.balance -= amount
            self.members[member].balance += amount
        return True

    def save_rules(
        self, members: Iterable[int], terms: tuple[Decimal, Decimal, Decimal], now: datetime
    ) -> None:
        for member in sorted(members):
            rule = self.rules.setdefault(member, Rule(len(self.rules)))
            rule.amount, rule.threshold, rule.limit = terms
            rule.is_on = True
        for member in sorted(members):
            if member not in self.suspended:
                self.evaluate(member, now)

    def switch_off(self, member: int) -> None:
        if member in self.rules:
            rule = self.rules[member]
            rule.is_on, rule.suspended_until, rule.waiting_since = False, None, None

    def suspend(self, member: int) -> None:
        if member not in self.suspended and member in self.rules:
            self.rules[member].suspended_until = self.rules[member].waiting_since = None
        self.suspended.add(member)

    def reactivate(self, member: int, now: datetime) -> None:
        if member not in self.suspended:
            return
        self.suspended.remove(member)
        rule = self.rules.get(member)
        if rule is None or not rule.is_on:
            return
        if not self.is_frozen:
            self.evaluate(member, now)
            return
        day = self._next_day(now, self.members[member], self.company)
        if self.recharged[member, day.year, day.month] >= rule.limit:
            rule.suspended_until = _next_month(day)

    def is_due(self, member: int, now: datetime) -> bool:
        rule = self.rules.get(member)
        if rule is None or not rule.is_on or self.is_frozen or member in self.suspended:
            return False
        rests = rule.suspended_until is not None and self.today(now) < rule.suspended_until
        return not rests and self.members[member].balance < rule.threshold

    def evaluate(self, member: int, now: datetime) -> None:
        """The rule steps until the level, the month's limit or the end of the company's credit."""
        rule, purse = self.rules[member], self.members[member]
        day = self._next_day(now, purse, self.company)
        month = (member, day.year, day.month)
        left = rule.limit - self.recharged[month]
        paid, is_blocked = NOTHING, False
        while purse.balance + paid < rule.threshold and left - paid > 0:
            step = min(rule.amount, left - paid)
            if self.company.available - paid < step:
                is_blocked = True
                break
            paid += step
        if paid:
            self._book(now, self.company, purse)
            self.company.balance -= paid
            purse.balance += paid
            self.recharged[month] += paid
        rule.suspended_until = None
        if left - paid <= 0:
            rule.suspended_until = _next_month(day)
        rule.waiting_since = (rule.waiting_since or now) if is_blocked else None

    def sweep(self, now: datetime, *, only_waiting: bool = False) -> None:
        """Those who wait come first, the oldest wait first."""

        def place(member: int) -> tuple[bool, float, int]:
            rule = self.rules[member]
            since = rule.waiting_since
            return (since is None, since.timestamp() if since else 0.0, rule.number)

        for member in sorted(self.rules, key=place):
            is_waiting = self.rules[member].waiting_since is not None
            runs = not self.is_frozen and member not in self.suspended
            if (runs and is_waiting) if only_waiting else self.is_due(member, now):
                self.evaluate(member, now)

    def resume(self, now: datetime) -> None:
        for rule in self.rules.values():
            if rule.suspended_until and rule.suspended_until <= self.today(now):
                rule.suspended_until = None

    def _price(self, destination: str) -> Price | None:
        if destination == "112":
            return Price("0")
        return self.prices.get(destination[1:3])

    def charge(self, wish: Wish, now: datetime) -> Result:
        """One reported call, then the rule that it makes due."""
        if wish.started_at > now + AHEAD:
            return ("refused", NOTHING, NOTHING, "in_future")
        result = self._charge(wish, now)
        if self.is_due(wish.member, now):
            self.evaluate(wish.member, now)
        return result

    def _charge(self, wish: Wish, now: datetime) -> Result:
        conflict = ("refused", NOTHING, NOTHING, "call_conflict")
        if wish.name in self.calls:
            before, result = self.calls[wish.name]
            return ("already_there", *result[1:]) if before == wish else conflict
        hold = self.holds.get(wish.name)
        if hold and (hold.member, hold.destination) != (wish.member, wish.destination):
            return conflict
        tariff = self._price(wish.destination)
        if tariff is None:
            return ("refused", NOTHING, NOTHING, "no_rate")
        purse = self.members[wish.member]
        if hold:
            self._give_back(hold, "settled")
        price = tariff.of(wish.seconds)
        collected = min(price, purse.available)
        if collected:
            self._book(now, purse)
            purse.balance -= collected
        self.uncollected[wish.member] += price - collected
        result = ("charged", collected, price - collected, "")
        self.calls[wish.name] = (wish, result)
        return result

    def _give_back(self, hold: Held, status: str) -> bool:
        """Whether it was open until now."""
        was_open = hold.status == "open"
        if was_open:
            self.members[hold.member].held -= hold.amount
        hold.status = status
        return was_open

    def _longest(self, tariff: Price, available: Decimal) -> int:
        for seconds in range(LONGEST_SECONDS, 0, -1):
            if tariff.of(seconds) <= available:
                return seconds
        return 0

    def authorize(
        self, name: Name, member: int, destination: str, now: datetime
    ) -> tuple[str, Decimal, int]:
        """Code (empty when allowed), what is set aside, seconds."""
        tariff, purse = self._price(destination), self.members[member]
        if tariff is None:
            return ("no_rate", NOTHING, 0)
        if name in self.holds:
            hold = self.holds[name]
            if hold.status != "open" or (hold.member, hold.destination) != (member, destination):
                return ("call_conflict", NOTHING, 0)
            return ("", hold.amount, hold.seconds)
        if name in self.calls:
            return ("call_conflict", NOTHING, 0)
        if member in self.suspended and destination != "112":
            return ("member_suspended", NOTHING, 0)
        seconds = self._longest(tariff, purse.available)
        if seconds == 0 and self.is_due(member, now):
            self.evaluate(member, now)
            seconds = self._longest(tariff, purse.available)
        if seconds == 0:
            return ("not_enough_credit", NOTHING, 0)
        amount = min(tariff.of(seconds), purse.available)
        purse.held += amount
        expires_at = now + timedelta(seconds=seconds) + GRACE
        self.holds[name] = Held(member, destination, amount, seconds, expires_at)
        return ("", amount, seconds)

    def release(self, name: Name) -> bool:
        hold = self.holds[name]
        return hold.status == "open" and self._give_back(hold, "released")

    def expire(self, now: datetime) -> int:
        due = [h for h in self.holds.values() if h.status == "open" and h.expires_at <= now]
        return sum(self._give_back(hold, "expired") for hold in due)
