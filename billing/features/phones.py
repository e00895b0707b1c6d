"""How members' phones are set, read for pages and phone systems. Its one rule: what is in effect is
what was chosen *and* what the member's features allow at this moment.

A row is read before what it stands with: what is told is never older than its stamp.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from billing.models import FeatureKind, ForwardingTarget, PhoneSettings, Subscription
from members.models import Company, Member


@dataclass(frozen=True, slots=True)
class VoicemailTerms:
    """Whether, after how many seconds and with which words voicemail answers, and whom a message is
    told to by e-mail (nobody if empty).
    """

    is_on: bool
    answer_after_seconds: int
    greeting: str
    greeting_language: str
    greeting_text: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A number that rings when nobody answered for so many seconds where it rang before."""

    number: str
    delay_seconds: int


@dataclass(frozen=True, slots=True)
class Phone:
    """A member's phone as it stands. ``kinds`` are those of the features that the member has now,
    ``numbers`` the own numbers. ``updated_at`` is None until there is something to tell.
    """

    member_id: int
    updated_at: datetime | None
    kinds: frozenset[str]
    numbers: tuple[str, ...]
    voicemail: VoicemailTerms
    targets: tuple[Target, ...]
    caller_id: str | None

    @property
    def voicemail_is_active(self) -> bool:
        """Whether voicemail answers."""
        return FeatureKind.VOICEMAIL in self.kinds and self.voicemail.is_on

    @property
    def forwarding_is_active(self) -> bool:
        """Whether calls are forwarded."""
        return FeatureKind.CALL_FORWARDING in self.kinds and bool(self.targets)

    @property
    def caller_id_is_active(self) -> bool:
        """Whether the chosen number is shown to those who are called."""
        return FeatureKind.CALLER_ID in self.kinds and self.caller_id in self.numbers


def phones_of(company: Company) -> QuerySet[PhoneSettings]:
    """The rows to be read by ``read_phones``."""
    return PhoneSettings.objects.filter(company=company).select_related("caller_id")


def read_phones(company: Company, rows: Sequence[PhoneSettings]) -> list[Phone]:
    """The rows' phones in their order. Two queries."""
    ids = [row.pk for row in rows]
    kinds: dict[int, set[str]] = defaultdict(set)
    numbers: dict[int, list[str]] = defaultdict(list)
    features = Subscription.objects.filter(
        company=company, member__in=ids, status__in=Subscription.OPEN
    ).order_by("number__e164")
    for member_id, kind, number in features.values_list("member_id", "kind", "number__e164"):
        kinds[member_id].add(kind)
        if number is not None:
            numbers[member_id].append(number)
    targets: dict[int, list[Target]] = defaultdict(list)
    for each in ForwardingTarget.objects.filter(settings__in=ids).order_by("position"):
        targets[each.settings_id].append(Target(each.number, each.delay_seconds))
    return [
        Phone(
            member_id=row.pk,
            updated_at=row.updated_at,
            kinds=frozenset(kinds[row.pk]),
            numbers=tuple(numbers[row.pk]),
            voicemail=_voicemail(row),
            targets=tuple(targets[row.pk]),
            caller_id=row.caller_id.e164 if row.caller_id else None,
        )
        for row in rows
    ]


def read_phone(member: Member) -> Phone:
    """How the member's phone stands; as it would begin, if the member never had such a feature."""
    rows = list(phones_of(member.company).filter(pk=member.pk))
    if rows:
        (phone,) = read_phones(member.company, rows)
        return phone
    new = PhoneSettings(greeting_language=member.company.language)
    return Phone(member.pk, None, frozenset(), (), _voicemail(new), (), None)


def _voicemail(row: PhoneSettings) -> VoicemailTerms:
    return VoicemailTerms(
        is_on=row.voicemail_on,
        answer_after_seconds=row.answer_after_seconds,
        greeting=row.greeting,
        greeting_language=row.greeting_language,
        greeting_text=row.greeting_text,
        email=row.voicemail_email,
    )
