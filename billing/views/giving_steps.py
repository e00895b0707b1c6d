"""What the steps of giving read from their address. Its one rule: what does not fit leads back to
the step where it is chosen, with a sentence, and changes nothing.
"""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.features.choosing import Receivers, choose_receivers
from billing.features.filters import read_feature_choice
from billing.features.giving import MOST_AT_ONCE
from billing.features.kinds import KindLooks, find_kind
from billing.features.left import kept_numbers
from billing.features.prices import find_plan
from billing.models import PERIODS, FeatureKind, NumberArea, PhoneNumber, Plan
from credit.choosing import Choice
from credit.models import OutsideRequest
from credit.requests import OutsideKey
from members.access import MemberRequest
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.formats import format_number
from skypemgr.lib.periods import utc_now

MAX_ID_DIGITS = 18
STEPS = {"plan": "feature_give", "period": "feature_give_period", "check": "feature_give_check"}
# What the steps add to the address; all else says who was chosen.
CHOSEN = ("plan", "area", "accepted", "months", "key")
OWN = (*CHOSEN, "country", "find")


@dataclass(frozen=True, slots=True)
class Giving:
    """What of which kind for whom, as far as the address says."""

    looks: KindLooks
    choice: Choice
    receivers: Receivers

    @property
    def is_number(self) -> bool:
        """Whether numbers have to be chosen."""
        return self.looks.kind == FeatureKind.NUMBER


class Turned(Exception):
    """This step cannot be shown: there, with this sentence."""

    def __init__(self, url: str, words: str) -> None:
        super().__init__(words)
        self.url = url


@dataclass(frozen=True, slots=True)
class Chosen:
    """The plan and the area that the address names."""

    plan: Plan
    area: NumberArea | None


def start(request: MemberRequest, slug: str) -> Giving:
    """Whom it is for. Turned back to who has what when nobody is chosen or fits."""
    looks = find_kind(slug)
    url = reverse("features_of_kind", args=(slug,))
    choice = read_feature_choice(request.actor, looks.kind, request.GET)
    if choice.is_misread:
        raise Turned(url, _("Please check the filters first."))
    if choice.is_nobody:
        raise Turned(url, _("Tick at least one member."))
    try:
        receivers = choose_receivers(request.actor, looks.kind, choice.recipients)
    except (NotAllowed, NotFound):
        raise
    except ProductError as error:
        raise Turned(url, str(error)) from error
    if not receivers.count:
        raise Turned(url, " ".join(receivers.apart))
    if receivers.count > MOST_AT_ONCE:
        sentence = _(
            "These are %(count)s members. At most %(limit)s can be given a feature at once: choose"
            " them list by list."
        )
        words = {
            "count": format_number(receivers.count),
            "limit": format_number(MOST_AT_ONCE),
        }
        raise Turned(url, sentence % words)
    return Giving(looks, choice, receivers)


def read_chosen(request: MemberRequest, giving: Giving) -> Chosen:
    back = back_to_plans(request, giving.looks.slug)
    company = request.actor.company
    try:
        plan = find_plan(request.GET.get("plan", "").replace("\0", ""))
        if plan.kind != giving.looks.kind or not plan.is_offered_on(company.day_at(utc_now())):
            raise Turned(
                back,
                _("%(plan)s is not offered any more. Choose another plan.") % {"plan": plan.name},
            )
    except ProductError as error:
        raise Turned(back, str(error)) from error
    if not giving.is_number:
        return Chosen(plan, None)
    areas = NumberArea.objects.filter(country=plan.country)
    area = areas.filter(pk=_whole(request.GET.get("area", ""))).first()
    if area is None:
        raise Turned(back, _("Choose an area."))
    if area.note and request.GET.get("accepted") != "1":
        raise Turned(back, _("Accept the rules of residence first."))
    return Chosen(plan, area)


def read_months(request: MemberRequest, slug: str) -> int:
    months = _whole(request.GET.get("months", ""))
    if months not in PERIODS:
        raise Turned(address(request, "period", slug, **kept_steps(request)), _("Choose a period."))
    return months


def read_key(request: MemberRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("key", ""))
    except ValueError:
        return None


def read_numbers(request: MemberRequest, giving: Giving, chosen: Chosen) -> list[PhoneNumber]:
    """The numbers that are kept, one for each; Turned back to the area when they are not."""
    if chosen.area is None:
        return []
    kept = kept_numbers(request.actor, chosen.area, now=utc_now())
    if len(kept) != giving.receivers.count:
        raise Turned(
            back_to_plans(request, giving.looks.slug),
            _("The chosen numbers are not kept for you any more. Choose again."),
        )
    return kept


def done_before(request: MemberRequest, key: UUID | None) -> int | None:
    """What was given under the key, if it was: whoever comes back sees that."""
    name = OutsideKey.of_form(str(key), "").key
    found = OutsideRequest.objects.filter(company=request.actor.company, key=name)
    return found.values_list("pk", flat=True).first() if key else None


def address(request: MemberRequest, step: str, slug: str, **chosen: object) -> str:
    """The step's address for the same people, with what was chosen so far."""
    query = request.GET.copy()
    for name in OWN:
        query.pop(name, None)
    words = urlencode({name: value for name, value in chosen.items() if value})
    rest = query.urlencode()
    return (
        f"{reverse(STEPS[step], args=(slug,))}?{'&'.join(part for part in (rest, words) if part)}"
    )


def kept_steps(request: MemberRequest) -> dict[str, str]:
    """What was chosen so far, but for the key."""
    return {name: request.GET.get(name, "") for name in CHOSEN if name != "key"}


def back_to_plans(request: MemberRequest, slug: str) -> str:
    """The first step, with what was chosen there."""
    chosen = {**kept_steps(request), "country": request.GET.get("country", "")}
    return address(request, "plan", slug, **chosen)


def turn_back(request: MemberRequest, turn: Turned) -> HttpResponse:
    """There, with its sentence."""
    messages.error(request, str(turn))
    return HttpResponseRedirect(turn.url)


def _whole(text: str) -> int:
    is_whole = text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS
    return int(text) if is_whole else 0
