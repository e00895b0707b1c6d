"""Fourteen months of a company, day by day. Its one rule: a day's events depend on the day alone,
and each has its own key, so a day told twice happened once.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Max

from billing.models import PaymentMethod
from billing.purchases import buy_credit
from billing.renewals import renew_company
from credit.allocation import Recipients, allocate
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.models import DailyTotal
from credit.requests import OutsideKey
from credit.rules import RuleTerms, save_rules
from credit.sweeps import resume_rules, serve_waiting_rules, sweep_due_purses
from skypemgr.lib.periods import add_months, first_of_month
from skypemgr.portal.demo.cast import (
    CALLS_A_DAY,
    DESTINATIONS,
    ORDINARY_SECONDS,
    Person,
    read_cast,
)
from skypemgr.portal.demo.features import tell_features
from skypemgr.portal.demo.setting import Scene, bring_in

MONTHS = 14
SATURDAY = 5
SOURCE = "demo"

# Business grows, and rests in August; by month of the year.
SEASON = (1.0, 1.0, 1.1, 1.0, 0.95, 1.05, 0.85, 0.5, 1.1, 1.15, 1.1, 0.9)
# What each member of a list is given at the start of a month, in EUR.
GIVEN = {
    "Direction": Decimal(9),
    "Marketing": Decimal(3),
    "Support": Decimal(5),
    "Production": Decimal("1.5"),
    "Innovation": Decimal(4),
}
# From which month of the story which list has which rule; again for those who joined since.
RULES = (
    (1, "Direction", RuleTerms(Decimal(10), Decimal(5), Decimal(40))),
    (2, "Support", RuleTerms(Decimal(5), Decimal(3), Decimal(25))),
    (4, "Marketing", RuleTerms(Decimal(4), Decimal(2), Decimal(12))),
    (7, "Support", RuleTerms(Decimal(5), Decimal(3), Decimal(25))),
    (9, "Marketing", RuleTerms(Decimal(4), Decimal(2), Decimal(12))),
    (11, "Support", RuleTerms(Decimal(5), Decimal(3), Decimal(25))),
)
DECLINED_IN = 6


class Story:
    """Tells the company's days up to now."""

    def __init__(self, scene: Scene, now: datetime, *, months: int = MONTHS) -> None:
        self.scene = scene
        self.months = months
        self.now = now
        self.zone = ZoneInfo(scene.company.zone_at(now))
        self.today = scene.company.day_at(now)
        self.cast = read_cast()
        self.first_month = self._first_month()

    def tell(self) -> None:
        """Every day has been told, today's until now."""
        for day in self._days():
            self._tell_day(day)

    def _first_month(self) -> date:
        booked = DailyTotal.objects.filter(company=self.scene.company).order_by("day").first()
        if booked:
            return first_of_month(booked.day)
        return add_months(first_of_month(self.today), 1 - self.months)

    def _days(self) -> Iterator[date]:
        last = DailyTotal.objects.filter(company=self.scene.company).aggregate(day=Max("day"))[
            "day"
        ]
        day = last or self.first_month
        while day <= self.today:
            yield day
            day += timedelta(days=1)

    def _tell_day(self, day: date) -> None:
        month = self._month_of_story(day)
        opening = self._at(day, time(7, 30))
        if opening > self.now:
            return
        resume_rules(now=opening)
        if self._is_first_working_day(day):
            self._start_month(day, month)
        sweep_due_purses(now=opening, company_id=self.scene.company.pk)
        if day.day in (12, 23) and day.weekday() < SATURDAY:
            self._give_extra(day)
        self._give_features(day, month)
        self._call(day)

    def _start_month(self, day: date, month: int) -> None:
        for person in self.cast:
            if person.joins_in <= month:
                bring_in(self.scene, person)
        if month == DECLINED_IN:
            self._buy(self.scene.bad_card, day, time(8, 55), month, "declined")
        self._buy(self.scene.good_card, day, time(9, 5), month, "month")
        self._make_rules(day, month)
        for name, amount in GIVEN.items():
            self._give(name, amount, day)

    def _buy(self, card: PaymentMethod, day: date, at: time, month: int, name: str) -> None:
        instant = self._at(day, at)
        if instant > self.now:
            return
        amount = Decimal(300 + 20 * month)
        buy_credit(
            actor=self.scene.actor,
            amount=amount,
            method=card,
            request=_key("purchase", day, name, amount),
            now=instant,
        )
        serve_waiting_rules(self.scene.company.pk, now=instant)

    def _make_rules(self, day: date, month: int) -> None:
        instant = self._at(day, time(9, 20))
        if instant > self.now:
            return
        for starts_in, name, terms in RULES:
            if starts_in == month:
                save_rules(
                    actor=self.scene.actor,
                    recipients=Recipients(list_id=self.scene.lists[name].pk),
                    terms=terms,
                    now=instant,
                )

    def _give(self, name: str, amount: Decimal, day: date) -> None:
        instant = self._at(day, time(9, 40))
        if instant > self.now:
            return
        allocate(
            actor=self.scene.actor,
            amount=amount,
            recipients=Recipients(list_id=self.scene.lists[name].pk),
            request=_key("allocation", day, name, amount),
            now=instant,
        )

    def _give_extra(self, day: date) -> None:
        chance = random.Random(f"extra {day}")  # noqa: S311 - a story, not a secret
        instant = self._at(day, time(14, 12))
        if instant > self.now:
            return
        places = sorted(self.scene.members)
        for place in chance.sample(places, 2):
            amount = Decimal(chance.choice((5, 10, 15)))
            allocate(
                actor=self.scene.actor,
                amount=amount,
                recipients=Recipients(member_ids=(self.scene.members[place].pk,)),
                request=_key("allocation", day, str(place), amount),
                now=instant,
            )

    def _give_features(self, day: date, month: int) -> None:
        instant = self._at(day, time(10, 30))
        if instant > self.now:
            return
        before = self.months - 1 - month
        tell_features(self.scene, before=before, day=day.day, now=instant)
        renew_company(self.scene.company.pk, now=instant)

    def _call(self, day: date) -> None:
        closing = min(self._at(day, time(19, 30)), self.now)
        rows = sorted(self._calls_of(day, closing), key=lambda row: str(row.started_at))
        # Before the first credit nobody calls.
        if rows and len(self.scene.members) > 1:
            charge_calls(self.scene.company, rows, now=closing)

    def _calls_of(self, day: date, closing: datetime) -> Iterator[CallRow]:
        chance = random.Random(f"calls {day}")  # noqa: S311 - a story, not a secret
        busy = SEASON[day.month - 1] * (0.06 if day.weekday() >= SATURDAY else 1)
        busy *= 0.8 + 0.03 * self._month_of_story(day)
        opening = self._at(day, time(8, 30))
        for person in self.cast:
            member = self.scene.members.get(person.place)
            count = _how_many(chance, CALLS_A_DAY[person.list] * busy)
            for number in range(count):
                started_at = opening + timedelta(seconds=chance.randrange(10 * 3600))
                seconds = _how_long(chance, person)
                called = _number(chance)
                if member and started_at + timedelta(seconds=seconds) <= closing:
                    yield CallRow(
                        source=SOURCE,
                        id=f"{day:%Y%m%d}-{person.place}-{number}",
                        member=member.pk,
                        destination=called,
                        started_at=started_at.isoformat(),
                        duration_seconds=seconds,
                    )

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone)

    def _month_of_story(self, day: date) -> int:
        return (day.year - self.first_month.year) * 12 + day.month - self.first_month.month

    def _is_first_working_day(self, day: date) -> bool:
        first = first_of_month(day)
        while first.weekday() >= SATURDAY:
            first += timedelta(days=1)
        return day == first


def _key(what: str, day: date, name: str, amount: Decimal) -> OutsideKey:
    return OutsideKey.of_form(f"demo-{what}-{day}-{name}", str(amount))


def _how_many(chance: random.Random, mean: float) -> int:
    count, left = 0, mean
    while left > 0 and chance.random() < min(left, 0.7):
        count, left = count + 1, left - 0.35
    return count


def _how_long(chance: random.Random, person: Person) -> int:
    return min(3600, 8 + int(chance.expovariate(1 / ORDINARY_SECONDS[person.list])))


def _number(chance: random.Random) -> str:
    weights = [weight for _, _, weight in DESTINATIONS]
    beginning, digits, _ = chance.choices(DESTINATIONS, weights)[0]
    return f"{beginning}{chance.randrange(10**digits):0{digits}d}"
