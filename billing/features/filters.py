"""Which members are meant on a table of who has a kind of features, told by a query string. Its one
rule: these filters join those of the members table, and what is not understood means nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import FeatureKind, Subscription
from credit.allocation import Recipients
from credit.choosing import Choice, read_choice
from credit.filter_words import filter_words
from credit.member_filters import PARAMETERS as MEMBER_PARAMETERS
from credit.member_filters import MemberFilters, Narrowing, phone_digits, searched
from members.actors import Actor
from members.models import Company, Member

Status = Subscription.Status
PARAMETERS = (*MEMBER_PARAMETERS, "has", "state")
# Whoever is looked for where the status is not said, by having it.
WHEN = {"": "", "yes": "all", "no": ""}
# Each state of a feature that can be asked for.
STATES: dict[str, Q] = {
    "renews": Q(renews=True, status=Status.ACTIVE),
    "ends": Q(renews=False),
    "grace": Q(status=Status.GRACE),
    "changes": Q(next_plan__isnull=False),
}
_UNKNOWN = gettext_lazy("This filter is not known.")


@dataclass(frozen=True, slots=True)
class FeatureFilters:
    """What was asked for of a kind. ``has``: ``yes`` or ``no``, empty for everybody; a state is
    that of a feature they have; who has a number is found by it too.

    ``members``: the filters that joined, ``whoever`` without having it or not, ``typed`` as they
    were typed. ``errors``: by parameter,
    why one that was given is not among them.
    """

    company: Company
    kind: str
    has: str
    state: str
    typed: MemberFilters
    whoever: MemberFilters
    members: MemberFilters
    errors: Mapping[str, str | Promise] = field(default_factory=dict)

    @classmethod
    def of(cls, company: Company, kind: str, values: Mapping[str, str]) -> "FeatureFilters":
        """The filters that the query string names."""
        typed = MemberFilters.of(values)
        errors: dict[str, str | Promise] = dict(typed.errors)
        has, state = (_choice(values, name, errors) for name in ("has", "state"))
        if state:
            has = "yes"
        found = with_feature(company, kind, state)
        # Who has left keeps what is paid, and stands among those who have it.
        whoever = replace(typed, errors=errors, status=typed.status or WHEN[has])
        digits = phone_digits(typed.search) if kind == FeatureKind.NUMBER else ""
        is_found = Q()
        if digits:
            # Each half by its own index.
            named = Member.objects.filter(searched(typed.search), company=company).values("pk")
            numbered = found.filter(number__e164__contains=digits).values("member")
            is_found = Q(pk__in=named.union(numbered))
            whoever = replace(whoever, search="", also=Narrowing(f"{kind}:{digits}", is_found))
        members = whoever
        if has:
            is_meant = Q(pk__in=found.values("member"))
            if has == "no":
                is_meant = ~Q(Exists(found.filter(member=OuterRef("pk"))))
            content = f"{kind}:{has}:{state}:{digits}"
            members = replace(whoever, also=Narrowing(content, is_found & is_meant))
        return cls(company, kind, has, state, typed, whoever, members, errors)

    @property
    def is_narrowed(self) -> bool:
        """Whether some members are left out on purpose, besides by having it or not."""
        return bool(self.state) or self.typed.is_narrowed

    def words(self) -> list[tuple[str, str]]:
        """For each filter its parameter and what it says; one query if a list is chosen."""
        words = filter_words(self.company, self.typed)
        if self.state:
            words.append(("state", state_words()[self.state]))
        return words

    def words_of_choice(self) -> tuple[str, ...]:
        """All filters in words, having it or not too."""
        told = [text for _name, text in self.words()]
        if self.has and not self.state:
            told.append(_("Have it") if self.has == "yes" else _("Do not have it"))
        return tuple(told)


def with_feature(company: Company, kind: str, state: str = "") -> QuerySet[Subscription]:
    """The company's open features of the kind, in the state."""
    found = Subscription.objects.filter(company=company, kind=kind, status__in=Subscription.OPEN)
    return found.filter(STATES[state]) if state else found


def read_feature_choice(actor: Actor, kind: str, values: QueryDict) -> Choice:
    """Who was chosen on the table of the kind, as ``credit.choosing.read_choice`` says it; with
    ``every=1`` whoever the table's filters leave.
    """
    choice = read_choice(actor, values)
    if choice.recipients.filters is None:
        return choice
    texts = {name: str(values[name]) for name in values if values.getlist(name)}
    filters = FeatureFilters.of(actor.company, kind, texts)
    return Choice(Recipients(filters=filters.members), words=filters.words_of_choice())


def state_words() -> dict[str, str]:
    """What can be chosen of the state, in words."""
    return {
        "renews": _("Renews by itself"),
        "ends": _("Ends"),
        "grace": _("Not paid, in grace"),
        "changes": _("Changes at its renewal"),
    }


def _choice(values: Mapping[str, str], name: str, errors: dict[str, str | Promise]) -> str:
    value = values.get(name, "").strip()
    if value and value not in (WHEN if name == "has" else STATES):
        errors[name] = _UNKNOWN
        return ""
    return value
