"""What members of the demo are given: numbers, subscriptions, voicemail, forwarding, caller ID.

Its one rule: each gift has its month of the story and its day, and is given by the verbs of the
pages. Their days lie a week apart, so one is always renewed soon.
"""

from dataclasses import dataclass
from datetime import datetime

from billing.features.catalogue import PLANS, import_plans
from billing.features.changing import cancel_feature
from billing.features.giving import Wish, give_feature
from billing.features.numbers import reserve_numbers
from billing.features.phones import Target, VoicemailTerms
from billing.features.prices import find_plan
from billing.features.settings import set_caller_id, set_forwarding, set_voicemail
from billing.features.stock import AREAS, NUMBERS, import_areas, import_numbers
from billing.models import FeatureKind, NumberArea, PhoneSettings, Plan, Subscription
from credit.allocation import Recipients
from credit.requests import OutsideKey
from members.models import Member
from skypemgr.portal.demo.setting import Scene


@dataclass(frozen=True)
class Gift:
    """A plan for people by their place in the cast, so many months before the story's last."""

    before: int
    day: int
    plan: str
    months: int
    places: tuple[int, ...]
    area: tuple[str, str] = ("", "")


GIFTS = (
    Gift(3, 5, "number-fr", 1, (0, 2), ("FR", "1")),
    Gift(3, 5, "europe-400", 1, (0, 1)),
    Gift(2, 12, "france-400", 1, (2, 7, 10)),
    Gift(2, 12, "voicemail", 3, (0, 2, 4)),
    Gift(2, 12, "number-gb", 3, (4,), ("GB", "20")),
    Gift(1, 8, "us-canada-120", 3, (5,)),
    Gift(1, 19, "call-forwarding", 1, (0, 2)),
    Gift(1, 19, "caller-id", 12, (0, 2)),
    Gift(1, 26, "world-unlimited", 1, (3,)),
)
CANCELLED = "us-canada-120"
CANCELLED_ON = (1, 20)
FORWARDED_TO = "+33199004242"
RINGS_FOR_SECONDS = 20
ANSWERS_AFTER_SECONDS = 30


def fill_catalogue() -> None:
    """The plans and numbers that come along are there; plans of the operator's own stay alone."""
    if Plan.objects.exists():
        return
    for path, work in (
        (AREAS, import_areas),
        (NUMBERS, import_numbers),
        (PLANS, import_plans),
    ):
        with path.open("rb") as file:
            work(file)


def tell_features(scene: Scene, *, before: int, day: int, now: datetime) -> None:
    """What is given or cancelled on that day of the month ``before`` the story's last is so."""
    for gift in GIFTS:
        if (gift.before, gift.day) == (before, day):
            _give(scene, gift, now)
    if (before, day) == CANCELLED_ON:
        for feature in _given(scene, CANCELLED):
            cancel_feature(actor=scene.actor, subscription_id=feature.pk, now=now)


def _give(scene: Scene, gift: Gift, now: datetime) -> None:
    members = [scene.members[place] for place in gift.places]
    if _given(scene, gift.plan):
        return
    numbers: list[int] = []
    if gift.area[0]:
        area = NumberArea.objects.get(country=gift.area[0], code=gift.area[1])
        chosen = reserve_numbers(actor=scene.actor, area=area, count=len(members), now=now)
        numbers = [number.pk for number in chosen]
    plan = find_plan(gift.plan)
    give_feature(
        actor=scene.actor,
        wish=Wish(
            plan=plan,
            months=gift.months,
            recipients=Recipients(member_ids=tuple(member.pk for member in members)),
            numbers=tuple(numbers),
            accepts_residence=True,
        ),
        request=OutsideKey.of_form(f"demo-feature-{gift.plan}", gift.plan),
        now=now,
    )
    for member in members:
        _set(scene, plan.kind, member, now)


def _given(scene: Scene, plan: str) -> list[Subscription]:
    return list(Subscription.objects.filter(company=scene.company, plan__code=plan))


def _set(scene: Scene, kind: str, member: Member, now: datetime) -> None:
    actor = scene.actor
    if kind == FeatureKind.VOICEMAIL:
        terms = VoicemailTerms(
            is_on=True,
            answer_after_seconds=ANSWERS_AFTER_SECONDS,
            greeting=PhoneSettings.Greeting.STANDARD,
            greeting_language="en",
            email=member.user.email or "",
        )
        set_voicemail(actor=actor, member_id=member.pk, terms=terms, now=now)
    elif kind == FeatureKind.CALL_FORWARDING:
        targets = [Target(FORWARDED_TO, RINGS_FOR_SECONDS)]
        set_forwarding(actor=actor, member_id=member.pk, targets=targets, now=now)
    elif kind == FeatureKind.CALLER_ID:
        own = member.subscriptions.filter(kind=FeatureKind.NUMBER).select_related("number").first()
        number = own.number.e164 if own and own.number else ""
        set_caller_id(actor=actor, member_id=member.pk, number=number, now=now)
