"""How each kind of features is addressed and drawn. Its one rule: its word in an address is its own
name with dashes.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import FeatureKind
from skypemgr.lib.errors import NotFound


@dataclass(frozen=True, slots=True)
class KindLooks:
    """A kind's word in addresses, its plural for people, its icon, and what giving it is called."""

    kind: FeatureKind
    slug: str
    label: str | Promise
    icon: str
    give: str | Promise


KINDS = tuple(
    KindLooks(kind, kind.value.replace("_", "-"), label, icon, give)
    for kind, label, icon, give in (
        (FeatureKind.NUMBER, _("Numbers"), "hash", _("Give a number")),
        (FeatureKind.SUBSCRIPTION, _("Subscriptions"), "phone-call", _("Give a subscription")),
        (FeatureKind.VOICEMAIL, _("Voicemail"), "voicemail", _("Give voicemail")),
        (
            FeatureKind.CALL_FORWARDING,
            _("Call forwarding"),
            "phone-outgoing",
            _("Give call forwarding"),
        ),
        (FeatureKind.CALLER_ID, _("Caller ID"), "id", _("Give caller ID")),
    )
)
_BY_SLUG = {looks.slug: looks for looks in KINDS}
_BY_KIND = {looks.kind: looks for looks in KINDS}


def find_kind(slug: str) -> KindLooks:
    """The kind of that word; NotFound else."""
    if slug not in _BY_SLUG:
        raise NotFound(_("There is no such kind of features."), code="unknown_kind")
    return _BY_SLUG[slug]


def looks_of(kind: str) -> KindLooks:
    """How the kind is drawn."""
    return _BY_KIND[FeatureKind(kind)]
