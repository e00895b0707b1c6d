"""Credit, calls and rules of made-up people. Its one rule: every movement is posted by the verb
that posts it in earnest, dated back by ``now``.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from credit.accounts import ensure_accounts
from credit.allocation import Recipients, allocate
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.ledger import Move, post_transfers
from credit.models import Rate, Transfer
from credit.requests import OutsideKey
from credit.rules import RuleTerms, save_rules, switch_off_rule
from members.actors import Actor
from members.generating import end_some, make_people, suspend_some
from members.models import Company

DAYS_BACK = 75
CREDIT_EACH = 60
AMOUNTS = ("2.50", "5", "8", "12.40", "20", "35")
PREFIXES = {"33": "0.02", "336": "0.09", "44": "0.03", "49": "0.03", "1": "0.01", "34": "0.04"}
NUMBERS = ("+33142278186", "+33612345678", "+442071838750", "+4915112345678", "+34911234567")
DURATIONS = (20, 45, 70, 130, 200, 340, 610, 1200)
TERMS = (
    RuleTerms(Decimal(10), Decimal(5), Decimal(40)),
    RuleTerms(Decimal(5), Decimal(3), Decimal(15)),
    # The first recharge uses up the month.
    RuleTerms(Decimal(20), Decimal(15), Decimal(20)),
)
SOURCE = "generated"
CHUNK = 2_000
SWITCHED_OFF_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Generated:
    """How many of each there are now that were not before."""

    members: int
    gone: int
    suspended: int
    calls: int
    rules: int


def generate_members(
    company: Company, actor: Actor, count: int, *, seed: int, now: datetime, calls_each: float = 1.5
) -> Generated:
    """The company has so many more members in lists and cost centres, most with credit, some with
    calls of the last months, a rule, suspended or gone; its own deck of rates if it had none.
    """
    dice = random.Random(seed)  # noqa: S311 - made-up data
    pks = make_people(company, actor, count, dice=dice, now=now)
    begin = now - timedelta(days=DAYS_BACK)
    _make_rates(company, begin)
    _credit_company(company, count, begin)
    # One in ten never had any credit: such members have no purse.
    given = [pk for pk in pks if dice.random() < 0.9]
    _allocate(actor, given, begin, dice)
    calls = _call(company, given, round(count * calls_each), begin, now, dice)
    suspended = suspend_some(company, pks, dice=dice)
    rules = _make_rules(actor, [pk for pk in pks if dice.random() < 0.08], now, dice)
    without_rule = [pk for pk in pks if pk not in rules]
    gone = end_some(company, without_rule, dice=dice, now=now)
    return Generated(count, gone, suspended, calls, len(rules))


def _make_rates(company: Company, begin: datetime) -> None:
    if Rate.objects.filter(company=company).exists():
        return
    Rate.objects.bulk_create(
        Rate(
            company=company,
            prefix=prefix,
            kind=Rate.Kind.OTHER,
            price_per_minute=Decimal(price),
            currency=company.currency,
            valid_from=(begin - timedelta(days=1)).date(),
        )
        for prefix, price in PREFIXES.items()
    )


def _credit_company(company: Company, count: int, begin: datetime) -> None:
    accounts = ensure_accounts(company)
    before = Transfer.objects.filter(company=company).count()
    move = Move(
        kind="adjustment",
        source=accounts.adjustments,
        destination=accounts.company,
        amount=Decimal(count * CREDIT_EACH),
        key=f"{SOURCE}:credit:{before}",
    )
    post_transfers(company.pk, [move], now=begin)


def _allocate(actor: Actor, pks: Sequence[int], begin: datetime, dice: random.Random) -> None:
    by_amount: dict[str, list[int]] = {amount: [] for amount in AMOUNTS}
    for pk in pks:
        by_amount[dice.choice(AMOUNTS)].append(pk)
    for amount, chosen in by_amount.items():
        for part in _parts(chosen):
            allocate(
                actor=actor,
                amount=Decimal(amount),
                recipients=Recipients(member_ids=tuple(part)),
                request=OutsideKey.of_form(str(UUID(int=dice.getrandbits(128))), None),
                now=begin,
            )


def _call(
    company: Company,
    pks: Sequence[int],
    count: int,
    begin: datetime,
    now: datetime,
    dice: random.Random,
) -> int:
    """The calls come in the order of their days, so that each is booked on its own."""
    if not pks:
        return 0
    name = f"{dice.getrandbits(64):x}"
    batches = -(-count // 1000)
    step = (now - begin - timedelta(hours=1)) / max(batches, 1)
    for number in range(batches):
        at = begin + step * (number + 1)
        rows = [
            CallRow(
                source=SOURCE,
                id=f"{name}-{number}-{place}",
                member=dice.choice(pks),
                destination=dice.choice(NUMBERS),
                started_at=(at - timedelta(minutes=dice.randrange(20, 600))).isoformat(),
                duration_seconds=dice.choice(DURATIONS),
            )
            for place in range(min(1000, count - number * 1000))
        ]
        charge_calls(company, rows, now=at)
    return count


def _make_rules(actor: Actor, pks: Sequence[int], now: datetime, dice: random.Random) -> set[int]:
    by_terms: dict[RuleTerms, list[int]] = {terms: [] for terms in TERMS}
    for pk in pks:
        by_terms[dice.choice(TERMS)].append(pk)
    for terms, chosen in by_terms.items():
        for part in _parts(chosen):
            recipients = Recipients(member_ids=tuple(part))
            save_rules(actor=actor, recipients=recipients, terms=terms, now=now)
    for pk in pks[: min(len(pks) // 10, SWITCHED_OFF_LIMIT)]:
        switch_off_rule(actor=actor, member_id=pk)
    return set(pks)


def _parts(pks: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(pks), CHUNK):
        yield pks[start : start + CHUNK]
