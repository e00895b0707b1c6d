"""Keeps the plans and their prices, from files and by the operator's hand.

Its one rule: a plan that was given never becomes another one, and none is deleted; it is withdrawn
by its last day. A new price or name concerns what is given or renewed from now on.
"""

import csv
import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from billing.models import PERIODS, FeatureKind, Plan, PlanPrice, Subscription, SubscriptionPeriod
from members.countries import COUNTRIES, CURRENCIES
from skypemgr.lib.amounts import currency_places, parse_exact_amount
from skypemgr.lib.tables import read_rows

DATA = Path(__file__).resolve().parent.parent / "data"
PLANS = DATA / "plans.csv"
COLUMNS = ("code", "currency")
OPTIONAL = (
    *("kind", "name_en", "name_fr", "country", "prefixes"),
    *("included_minutes", "fair_use_minutes", "valid_from", "valid_until", "position"),
    *(f"price_{months}" for months in PERIODS),
)
MOST_ROWS = 20_000
# 31 days, so that nobody can use up more.
MOST_MINUTES = 31 * 24 * 60
MOST_PREFIXES = 2_000
LONGEST_NAME = 100
CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
PREFIX = re.compile(r"[1-9][0-9]{0,14}")
# What a plan is; the rest may change while members have it.
TERMS = ("kind", "country", "included_seconds", "is_unlimited")
HOLD = "LOCK TABLE billing_plan, billing_numberarea IN SHARE ROW EXCLUSIVE MODE"


@dataclass(slots=True)
class Imported:
    """What became of a file. ``refused`` names line and reason of each row left out."""

    added_count: int = 0
    changed_count: int = 0
    already_count: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """The verdicts in words, for the operator."""
        return {
            "added": self.added_count,
            "changed": self.changed_count,
            "already there": self.already_count,
        }


def hold_catalogue() -> None:
    """Inside a transaction: nobody else changes plans or areas until its end; reading and giving
    go on.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD)


def import_plans(file: BinaryIO) -> Imported:
    """The file's good rows are in the catalogue, each a plan with its prices in one currency.

    An empty cell, or a column that is not there, leaves what is known of a plan: a row with code,
    currency and prices alone changes these prices. The same file once more changes nothing. Raises
    UnreadableTable for a file that is no table.
    """
    rows = list(read_rows(file, columns=COLUMNS, optional=OPTIONAL, limit=MOST_ROWS))
    result = Imported()
    with transaction.atomic():
        hold_catalogue()
        catalogue = _Catalogue({row["code"] for _line, row in rows})
        for place, (line, row) in enumerate(rows, 1):
            try:
                is_new, is_changed = catalogue.take(row, place)
            except ValueError as error:
                result.refused.append((line, str(error)))
                continue
            result.added_count += is_new
            result.changed_count += is_changed and not is_new
            result.already_count += not is_changed and not is_new
    return result


def is_given(plan: Plan) -> bool:
    """Whether somebody has it, had it, or will have it at a renewal."""
    return (
        SubscriptionPeriod.objects.filter(plan=plan).exists()
        or Subscription.objects.filter(next_plan=plan).exists()
    )


def is_another(before: Plan, after: Plan) -> bool:
    """Whether it would not be the same plan for whoever has it; more destinations are allowed."""
    if any(getattr(before, name) != getattr(after, name) for name in TERMS):
        return True
    return not set(before.prefixes) <= set(after.prefixes)


def check_plan(plan: Plan) -> None:
    """Returns only for a plan that makes sense by itself; else ValueError with a code."""
    if plan.kind == FeatureKind.SUBSCRIPTION:
        if not plan.included_seconds:
            raise ValueError("missing_minutes")
        if not plan.prefixes:
            raise ValueError("missing_prefixes")
    elif plan.included_seconds or plan.is_unlimited:
        raise ValueError("minutes_of_other_kind")
    elif plan.prefixes:
        raise ValueError("prefixes_of_other_kind")
    if bool(plan.country) != (plan.kind == FeatureKind.NUMBER):
        raise ValueError("country_of_other_kind" if plan.country else "missing_country")
    if plan.valid_until is not None and plan.valid_until <= plan.valid_from:
        raise ValueError("ends_before_start")


def read_prefixes(text: str) -> list[str]:
    """Destinations parted by blanks, each once and in order: digits, or a country that
    ``data/destinations.csv`` knows (its landlines and mobiles). ValueError with a code.
    """
    found: set[str] = set()
    for word in text.split():
        if word.upper() in DESTINATIONS:
            found.update(DESTINATIONS[word.upper()])
        elif PREFIX.fullmatch(word.removeprefix("+")):
            found.add(word.removeprefix("+"))
        else:
            raise ValueError("unknown_destination" if word[:1].isalpha() else "malformed_prefix")
    if len(found) > MOST_PREFIXES:
        raise ValueError("too_many_prefixes")
    return sorted(found)


class _Catalogue:
    """The plans that a file names, as they are after each of its rows."""

    def __init__(self, codes: set[str]) -> None:
        self.plans = {plan.code: plan for plan in Plan.objects.filter(code__in=codes)}
        self.prices = {
            (price.plan_id, price.currency, price.months): price
            for price in PlanPrice.objects.filter(plan__in=self.plans.values())
        }
        self.seen: set[tuple[str, str]] = set()

    def take(self, row: dict[str, str], place: int) -> tuple[bool, bool]:
        """The row is stored; whether its plan is new, whether anything changed. ValueError with a
        code, and nothing of it is stored.
        """
        code, currency = row["code"], row["currency"].upper()
        if not CODE.fullmatch(code):
            raise ValueError("malformed_code")
        if currency not in CURRENCIES:
            raise ValueError("unknown_currency")
        if (code, currency) in self.seen:
            raise ValueError("twice_in_file")
        self.seen.add((code, currency))
        prices = dict(_read_prices(row, currency))
        stated = dict(_read_plan(row))
        known = self.plans.get(code)
        if known is None:
            plan, changed = _new_plan(code, stated, place), list[str]()
            plan.save(force_insert=True)
        else:
            plan, changed = known, _change_plan(known, stated)
        self.plans[code] = plan
        is_repriced = [
            self._set_price(plan, currency, months, price) for months, price in prices.items()
        ]
        return known is None, bool(changed) or any(is_repriced)

    def _set_price(self, plan: Plan, currency: str, months: int, price: Decimal) -> bool:
        name = (plan.pk, currency, months)
        known = self.prices.get(name)
        if known is None:
            self.prices[name] = PlanPrice.objects.create(
                plan=plan, currency=currency, months=months, price=price
            )
            return True
        if known.price == price:
            return False
        known.price = price
        known.save(update_fields=["price"])
        return True


def _new_plan(code: str, stated: dict[str, Any], place: int) -> Plan:
    for name in ("kind", "name_en", "name_fr", "valid_from"):
        if name not in stated:
            raise ValueError("unknown_plan" if name == "kind" else f"missing_{name}")
    plan = Plan(code=code, **{"position": place, **stated})
    check_plan(plan)
    return plan


def _change_plan(plan: Plan, stated: dict[str, Any]) -> list[str]:
    """The names of the fields that were changed."""
    before = {name: getattr(plan, name) for name in stated}
    changed = [name for name, value in stated.items() if before[name] != value]
    if not changed:
        return []
    wanted = copy(plan)
    for name in changed:
        setattr(wanted, name, stated[name])
    check_plan(wanted)
    if is_another(plan, wanted) and is_given(plan):
        raise ValueError("plan_conflict")
    for name in changed:
        setattr(plan, name, stated[name])
    plan.save(update_fields=changed)
    return changed


def _read_plan(row: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """What the row states of the plan itself, by field."""
    if kind := row.get("kind", ""):
        if kind not in FeatureKind.values:
            raise ValueError("unknown_kind")
        yield "kind", kind
    for name in ("name_en", "name_fr"):
        if text := row.get(name, ""):
            if len(text) > LONGEST_NAME:
                raise ValueError("name_too_long")
            yield name, text
    if country := row.get("country", "").upper():
        if country not in COUNTRIES:
            raise ValueError("unknown_country")
        yield "country", country
    if prefixes := row.get("prefixes", ""):
        yield "prefixes", read_prefixes(prefixes)
    yield from _read_minutes(row)
    for name in ("valid_from", "valid_until"):
        if text := row.get(name, ""):
            yield name, _day(text)
    if position := row.get("position", ""):
        yield "position", _whole(position, most=1_000_000, code="malformed_position")


def _read_minutes(row: dict[str, str]) -> Iterator[tuple[str, Any]]:
    included, fair_use = row.get("included_minutes", ""), row.get("fair_use_minutes", "")
    if included and fair_use:
        raise ValueError("minutes_twice")
    if included or fair_use:
        yield "included_seconds", _whole(included or fair_use, most=MOST_MINUTES) * 60
        yield "is_unlimited", bool(fair_use)


def _read_prices(row: dict[str, str], currency: str) -> Iterator[tuple[int, Decimal]]:
    for months in PERIODS:
        if text := row.get(f"price_{months}", ""):
            try:
                places = currency_places(currency)
                yield months, parse_exact_amount(text, places=places, zero_allowed=True)
            except ValidationError as error:
                raise ValueError("malformed_price") from error


def _whole(text: str, *, most: int, code: str = "malformed_minutes") -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= most):
        raise ValueError(code)
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("malformed_date") from error


def _read_destinations() -> dict[str, tuple[str, ...]]:
    with (DATA / "destinations.csv").open(encoding="utf-8", newline="") as rows:
        return {row["destination"]: tuple(row["prefixes"].split()) for row in csv.DictReader(rows)}


DESTINATIONS = _read_destinations()
