"""Cancelling several features at once, and which kinds a member may have.

Their one rule: numbers first, and asked again when they have changed meanwhile.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.contrib import messages
from django.db.models import Max, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from billing.feature_forms import KindsForm
from billing.features.changing import MOST_AT_ONCE, allow_kinds, cancel_features
from billing.features.filters import read_feature_choice, with_feature
from billing.features.kinds import KINDS, find_kind
from billing.features.lines import price_features, read_banned_kinds, with_names
from billing.models import FeatureKind, Subscription
from credit.allocation import Recipients
from credit.forms import CountForm
from credit.member_filters import filtered_members
from members.access import MemberRequest, administrators_only, find_member
from members.actors import Actor
from members.models import Member
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.formats import format_number
from skypemgr.lib.periods import utc_now

SHOWN, REFUSED = 200, 422
SHOWN_ROWS = 50
MAX_ID_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Meant:
    """The features that were ticked, or those of a kind of the members that were; and where to go
    back to.
    """

    features: QuerySet[Subscription]
    back_url: str


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_several(request: MemberRequest) -> HttpResponse:
    """The ticked features run out, after a look at what that means in numbers."""
    meant = _read_meant(request)
    if meant is None:
        messages.info(request, _("Tick at least one feature."))
        return redirect("features")
    renewing = meant.features.filter(renews=True)
    count, unchanged_count = renewing.count(), meant.features.filter(renews=False).count()
    error = _why_too_many(count)
    if request.method == "POST" and count and not error:
        if CountForm(request.POST).says(count):
            try:
                done = cancel_features(
                    actor=request.actor,
                    subscription_ids=list(renewing.values_list("pk", flat=True)),
                )
            except (NotAllowed, NotFound):
                raise
            except ProductError as refusal:
                error = str(refusal)
            else:
                messages.success(request, _say_cancelled(done.count))
                return HttpResponseRedirect(meant.back_url)
        else:
            error = _("Meanwhile other features are meant. Please check again.")
    is_refused = request.method == "POST" and bool(error)
    page = _told(request, renewing, count) if count <= MOST_AT_ONCE else {}
    page |= {
        "count": count,
        "unchanged_count": unchanged_count,
        "error": error,
        "back_url": meant.back_url,
        "form": CountForm(initial={"shown_count": count}),
    }
    status = REFUSED if is_refused else SHOWN
    return render(request, "billing/features_cancel.html", page, status=status)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def choose_kinds(request: MemberRequest, pk: int) -> HttpResponse:
    """Which kinds of features the member may have."""
    member = find_member(request.actor, pk)
    banned = read_banned_kinds(member)
    form = KindsForm(
        request.POST if request.method == "POST" else None,
        initial={"kinds": [kind for kind in FeatureKind.values if kind not in banned]},
    )
    if form.is_valid():
        allow_kinds(actor=request.actor, member_id=pk, kinds=form.cleaned_data["kinds"])
        words = _("Saved which features %(name)s may have.")
        messages.success(request, words % {"name": member.name})
        return redirect("member_features", pk)
    page = {"member": member, "form": form, "held": _held(member)}
    status = REFUSED if form.is_bound else SHOWN
    return render(request, "billing/member_kinds.html", page, status=status)


def _held(member: Member) -> list[str]:
    """The kinds that the member has now, in words."""
    found = Subscription.objects.filter(
        member=member, company=member.company_id, status__in=Subscription.OPEN
    )
    kinds = set(found.values_list("kind", flat=True))
    return [str(looks.label) for looks in KINDS if looks.kind in kinds]


def _read_meant(request: MemberRequest) -> Meant | None:
    """What ``feature=…`` names, or ``kind=…`` with members as on its table; None for nothing."""
    opened = Subscription.objects.filter(
        company=request.actor.company, status__in=Subscription.OPEN
    )
    slug = request.GET.get("kind", "")
    back_url = reverse("features_of_kind", args=(find_kind(slug).slug,)) if slug else ""
    ticked = request.GET.getlist("feature")
    if ticked:
        ids = {_whole(text) for text in ticked}
        known = Subscription.objects.filter(company=request.actor.company, pk__in=ids)
        if known.count() < len(ids):
            raise NotFound(_("There is no such feature in your company."), code="unknown_feature")
        return Meant(opened.filter(pk__in=ids), back_url or reverse("features"))
    if not slug:
        return None
    looks = find_kind(slug)
    choice = read_feature_choice(request.actor, looks.kind, request.GET)
    if choice.is_misread or choice.is_nobody:
        return None
    is_every = choice.recipients.filters is not None
    state = request.GET.get("state", "") if is_every else ""
    found = with_feature(request.actor.company, looks.kind, state)
    members = _members_of(request.actor, choice.recipients)
    return Meant(found.filter(member__in=members), back_url)


def _members_of(actor: Actor, recipients: Recipients) -> QuerySet[Member]:
    """Everybody meant, those who have left too: they keep what is paid."""
    members = Member.objects.filter(company=actor.company)
    if recipients.filters is not None:
        today = actor.company.day_at(utc_now())
        return filtered_members(actor.company, recipients.filters, today=today)
    if recipients.list_id is not None:
        return members.filter(list_id=recipients.list_id)
    if recipients.all_members:
        return members
    return members.filter(pk__in=recipients.member_ids)


def _told(
    request: MemberRequest, renewing: QuerySet[Subscription], count: int
) -> dict[str, object]:
    """The numbers: what is not taken any more, until when all is usable, and the first of them."""
    company = request.actor.company
    found = list(with_names(renewing.select_related("member")).order_by("paid_until", "pk"))
    lines = price_features(company, found)
    return {
        "lines": lines[:SHOWN_ROWS],
        "more_count": count - len(lines[:SHOWN_ROWS]),
        "next_total": sum((line.terms.price for line in lines if line.terms), Decimal(0)),
        "numbers_count": sum(line.feature.number_id is not None for line in lines),
        "last_day": renewing.aggregate(last=Max("paid_until"))["last"],
        "currency": company.currency,
    }


def _why_too_many(count: int) -> str:
    if count <= MOST_AT_ONCE:
        return ""
    return _(
        "These are %(count)s features. At most %(limit)s can be cancelled at once: narrow them with"
        " the filters."
    ) % {"count": format_number(count), "limit": format_number(MOST_AT_ONCE)}


def _say_cancelled(count: int) -> str:
    sentence = ngettext(
        "%(count)s feature is cancelled. What is paid stays usable.",
        "%(count)s features are cancelled. What is paid stays usable.",
        count,
    )
    return sentence % {"count": format_number(count)}


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS):
        raise NotFound(_("There is no such feature in your company."), code="unknown_feature")
    return int(text)
