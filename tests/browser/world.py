"""A company with a past, for looking at pages. Its one rule: everything happened through the verbs,
in order of time, with names and amounts as long as they come.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from billing.features.changing import allow_kind, cancel_feature, change_feature
from billing.methods import save_card
from billing.models import NumberArea, PhoneNumber, Plan, Purchase, Subscription
from billing.purchases import buy_credit
from credit.allocation import Recipients
from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.rates import import_rates
from credit.rules import RuleTerms, save_rules
from members.actors import Actor
from members.details import update_member
from members.lists import create_list
from members.models import Company, Member
from skypemgr.lib.periods import add_months, utc_now
from tests.billing.conftest import ASKING, GOOD, POOR, a_request
from tests.billing.features.conftest import give_number, give_plan
from tests.conftest import give, make_company, make_member

RATES = Path(__file__).parents[1] / "data" / "rates.csv"
COMPANY = "Cabinet d'architecture Lumière & Associés"
PEOPLE = {
    "maelys": ("Maëlys de La Rochefoucauld-Montbel", "Direction"),
    "emile": ("Émile Ørsted", "Direction"),
    "nadia": ("Nadia Boulanger", "Études et conception durable"),
    "omar": ("Omar Khayyam", "Études et conception durable"),
    "zoe": ("Zoé Ng", ""),
}
LISTS = {list_name for _, list_name in PEOPLE.values() if list_name}
# The second is used up at once: suspended until next month.
RULES = (
    RuleTerms(Decimal(10), Decimal(5), Decimal(40)),
    RuleTerms(Decimal(50), Decimal(180), Decimal(75)),
)
NUMBERS = ("+33142270011", "+33612345678", "+442079460018")


@dataclass(frozen=True)
class World:
    """Who lives in it, and what was bought."""

    company: Company
    alice: Member
    fiona: Member
    members: list[Member]
    declined: Purchase
    asking: Purchase
    bought: Purchase


def buy(alice: Member, amount: str, card: str, now: datetime) -> Purchase:
    """The company bought, or tried to."""
    actor = Actor.of_member(alice)
    return buy_credit(
        actor=actor,
        amount=Decimal(amount),
        method=save_card(actor=actor, gateway="sandbox", number=card),
        request=a_request(),
        now=now,
    )


def call(member: Member, number: int, now: datetime) -> CallRow:
    """A call that ended before now."""
    return CallRow(
        source="pbx",
        id=f"{member.pk}-{number}-{now:%Y%m%d}",
        member=member.pk,
        destination=NUMBERS[number % len(NUMBERS)],
        started_at=(now - timedelta(hours=2)).isoformat(),
        duration_seconds=240 + 61 * number,
    )


def bring_in(alice: Member) -> list[Member]:
    """The members, in their lists."""
    actor = Actor.of_member(alice)
    lists = {name: create_list(actor=actor, name=name) for name in LISTS}
    members = [make_member(alice.company, username) for username in PEOPLE]
    for member, (name, list_name) in zip(members, PEOPLE.values(), strict=True):
        update_member(actor=actor, member=member, name=name, list=lists.get(list_name))
    return members


def live_through(alice: Member, members: list[Member], now: datetime) -> None:
    """A year of buying, sharing out and calling."""
    for months in range(11, 0, -1):
        month = add_months(now.date(), -months)
        then = now - timedelta(days=(now.date() - month).days)
        buy(alice, str(120 + 15 * (months % 4)), GOOD, then)
        for place, member in enumerate(members):
            give(alice, member, str(6 + 3 * place + months % 3), now=then + timedelta(minutes=1))
        rows = [call(member, place, then) for place, member in enumerate(members)]
        charge_calls(alice.company, rows, now=then + timedelta(minutes=2))


def make_world(language: str) -> World:
    """The company as it is today."""
    alice = make_company(COMPANY, "alice", language=language)
    update_member(actor=Actor.of_member(alice), member=alice, name="Alice Perret")
    fiona = make_member(alice.company, "fiona", role="finance")
    with RATES.open("rb") as file:
        import_rates(file)
    members = bring_in(alice)
    now = utc_now() - timedelta(minutes=30)
    live_through(alice, members, now)
    actor = Actor.of_member(alice)
    for member, terms in zip(members, RULES, strict=False):
        one = Recipients(member_ids=(member.pk,))
        save_rules(actor=actor, recipients=one, terms=terms, now=now)
    rows = [call(member, place + 1, now) for place, member in enumerate(members)]
    charge_calls(alice.company, rows, now=now + timedelta(minutes=1))
    declined = buy(alice, "250", POOR, now + timedelta(minutes=2))
    asking = buy(alice, "1234.50", ASKING, now + timedelta(minutes=3))
    bought = buy(alice, "100", GOOD, now + timedelta(minutes=4))
    alice.refresh_from_db()
    return World(alice.company, alice, fiona, members, declined, asking, bought)


def give_features(alice: Member, members: list[Member]) -> None:
    """The members have some of each kind that the catalogue offers, in every state that a day can
    bring about.
    """
    actor, now = Actor.of_member(alice), utc_now()
    area = NumberArea.objects.create(country="FR", code="1", name="Paris et Île-de-France")
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+3318000000{last}", area=area) for last in range(3)
    )
    plans = {plan.code: plan for plan in Plan.objects.all()}
    first, second, third = members[:3]
    for member in (first, first, second):
        give_number(alice, plans["number-fr"], area, member, now=now)
    give_plan(alice, plans["europe-400"], first, second, third, now=now)
    give_plan(alice, plans["france-120"], first, months=12, now=now)
    give_plan(alice, plans["voicemail"], first, second, months=3, now=now)
    ends, changes = Subscription.objects.filter(plan__code="europe-400").order_by("pk")[:2]
    cancel_feature(actor=actor, subscription_id=ends.pk, now=now)
    change_feature(
        actor=actor, subscription_id=changes.pk, plan=plans["world-400"], months=12, now=now
    )
    allow_kind(actor=actor, member_id=third.pk, kind="number", is_allowed=False)
