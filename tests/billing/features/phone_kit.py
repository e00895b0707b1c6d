"""What the tests of phones share: somebody with every feature, numbers that have a price."""

from datetime import date, datetime
from decimal import Decimal

from billing.features.phones import Phone, Target, VoicemailTerms
from billing.features.settings import set_caller_id, set_forwarding, set_voicemail
from billing.models import FeatureKind, NumberArea, Plan, Subscription
from credit.models import Rate
from members.actors import Actor
from members.models import Member
from tests.billing.features.conftest import NOON, give_number, give_plan, make_plan

MOBILE = "+33612345678"
LANDLINE = "+33142278900"
LONDON = "+442079460018"
TERMS = VoicemailTerms(
    is_on=True,
    answer_after_seconds=25,
    greeting="text",
    greeting_language="fr",
    greeting_text="Bonjour, laissez un message.",
    email="bob@example.com",
)


def price_calls(*prefixes: str) -> None:
    """Calls to these prefixes have a price."""
    Rate.objects.bulk_create(
        Rate(
            prefix=prefix,
            price_per_minute=Decimal("0.1"),
            currency="EUR",
            valid_from=date(2020, 1, 1),
        )
        for prefix in prefixes
    )


def plan_of(kind: str) -> Plan:
    """A free plan of the kind."""
    return Plan.objects.filter(kind=kind).first() or make_plan(
        f"free-{kind}".replace("_", "-"), kind, {1: "0"}
    )


def equip(alice: Member, *members: Member, now: datetime = NOON) -> None:
    """The members have voicemail, forwarding and caller ID."""
    for kind in (FeatureKind.VOICEMAIL, FeatureKind.CALL_FORWARDING, FeatureKind.CALLER_ID):
        give_plan(alice, plan_of(kind), *members, now=now)


def number_of(alice: Member, member: Member, now: datetime = NOON) -> Subscription:
    """A number of Paris is the member's."""
    plan = Plan.objects.filter(kind="number").first() or make_plan(
        "free-number", "number", {1: "0"}, country="FR"
    )
    area = NumberArea.objects.get(country="FR", code="1")
    return give_number(alice, plan, area, member, now=now)


def forward(actor: Member, member: Member, *numbers: str) -> Phone:
    """The member's calls go to these numbers."""
    return set_forwarding(
        actor=Actor.of_member(actor),
        member_id=member.pk,
        targets=[Target(number, 15) for number in numbers],
        now=NOON,
    )


def answer(actor: Member, member: Member, terms: VoicemailTerms = TERMS) -> Phone:
    """The member's voicemail answers by the terms."""
    return set_voicemail(actor=Actor.of_member(actor), member_id=member.pk, terms=terms, now=NOON)


def show(actor: Member, member: Member, number: str) -> Phone:
    """Those whom the member calls see the number."""
    return set_caller_id(actor=Actor.of_member(actor), member_id=member.pk, number=number, now=NOON)
