"""The sandbox's test cards and how each behaves. Its one rule: no other number is ever accepted,
so that no real card can be typed in by mistake.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Behaviour(StrEnum):
    """How a test card answers."""

    SUCCEEDS = "succeeds"
    DECLINES = "declines"
    AUTHENTICATES = "authenticates"
    SETTLES_LATE = "settles_late"
    TIMES_OUT = "times_out"
    IS_DOWN = "is_down"


@dataclass(frozen=True)
class SandboxCard:
    """A number and its behaviour while the payer is there, and when charged automatically."""

    number: str
    words: Promise
    behaviour: Behaviour
    decline_code: str = ""
    automatic: Behaviour | None = None

    def behaves(self, *, is_off_session: bool) -> Behaviour:
        """How the card answers now."""
        return self.automatic if is_off_session and self.automatic else self.behaviour

    @property
    def spaced(self) -> str:
        """The number in groups of four."""
        return " ".join(self.number[start : start + 4] for start in range(0, 16, 4))


TEST_CARDS = (
    SandboxCard("4242424242424242", _("succeeds"), Behaviour.SUCCEEDS),
    SandboxCard(
        "4000000000000002", _("is declined by the bank"), Behaviour.DECLINES, "card_declined"
    ),
    SandboxCard(
        "4000000000009995",
        _("is declined: not enough money"),
        Behaviour.DECLINES,
        "insufficient_funds",
    ),
    SandboxCard(
        "4000000000009979",
        _("is declined for good: reported stolen"),
        Behaviour.DECLINES,
        "stolen_card",
    ),
    SandboxCard(
        "4000002760003184", _("asks for authentication every time"), Behaviour.AUTHENTICATES
    ),
    SandboxCard(
        "4000002500003155",
        _("succeeds; asks for authentication when charged automatically"),
        Behaviour.SUCCEEDS,
        automatic=Behaviour.AUTHENTICATES,
    ),
    SandboxCard(
        "4000000000000341",
        _("succeeds; is declined when charged automatically"),
        Behaviour.SUCCEEDS,
        "insufficient_funds",
        automatic=Behaviour.DECLINES,
    ),
    SandboxCard("4000000000000077", _("answers late, after five seconds"), Behaviour.SETTLES_LATE),
    SandboxCard(
        "4000000000000119",
        _("is charged, but the answer gets lost for five seconds"),
        Behaviour.TIMES_OUT,
    ),
    SandboxCard(
        "4000000000000259",
        _("meets a gateway that is down for five seconds"),
        Behaviour.IS_DOWN,
    ),
)

CARDS_BY_NUMBER = {card.number: card for card in TEST_CARDS}
