"""What is left of the stock of numbers, for somebody who chooses. Its one rule: numbers that the
same person keeps already count as left, since choosing again gives them back.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from billing.models import NumberArea, PhoneNumber
from members.actors import Actor

State = PhoneNumber.State


@dataclass(frozen=True, slots=True)
class AreaLeft:
    """An area, and how many of its numbers can be given."""

    area: NumberArea
    left: int


def countries_of_numbers() -> set[str]:
    """The countries with an area."""
    return set(NumberArea.objects.values_list("country", flat=True).distinct())


def count_left(actor: Actor, country: str) -> list[AreaLeft]:
    """The country's areas in the order of the catalogue. Three queries."""
    areas = list(NumberArea.objects.filter(country=country).order_by("position", "code"))
    left: Counter[int] = Counter()
    numbers = PhoneNumber.objects.filter(area__in=[area.pk for area in areas])
    free = numbers.filter(state=State.FREE)
    left.update(dict(free.values_list("area").annotate(Count("pk"))))
    if actor.member is not None:
        kept = numbers.filter(state=State.RESERVED, reserved_by=actor.member)
        left.update(dict(kept.values_list("area").annotate(Count("pk"))))
    return [AreaLeft(area, left[area.pk]) for area in areas]


def kept_numbers(actor: Actor, area: NumberArea, *, now: datetime) -> list[PhoneNumber]:
    """The numbers of the area that the actor keeps and has not given yet, in their order."""
    kept = PhoneNumber.objects.filter(
        area=area,
        state=State.RESERVED,
        reserved_for=actor.company,
        reserved_by=actor.member,
        reserved_until__gt=now,
    )
    return list(kept.order_by("e164"))
