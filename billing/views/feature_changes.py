"""One feature: what was paid, and changing, cancelling, taking a cancel back, handing a number on.

Their one rule: what will happen is said before, with its day and its price; opening a page changes
nothing.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from billing.errors import PlanNotOffered
from billing.feature_forms import PeriodForm, ReceiverForm
from billing.features.changing import cancel_feature, change_feature, find_feature, undo_cancel
from billing.features.kinds import looks_of
from billing.features.lines import FeatureLine, price_features
from billing.features.numbers import reallocate_number
from billing.features.periods import charge_day
from billing.features.prices import list_plans, price_for, prices_of
from billing.features.wording import period_words, plan_words, price_words, renewal_words
from billing.models import FeatureKind, Plan, Subscription
from credit.member_filters import MemberFilters, filtered_members
from members.access import (
    MemberRequest,
    active_company_only,
    administrators_only,
    readers_only,
)
from members.models import Member
from members.models.people import PRESENT
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.formats import format_date
from skypemgr.lib.periods import utc_now
from skypemgr.lib.phones import readable_number
from skypemgr.lib.text import typed_search

SHOWN, REFUSED = 200, 422
SHOWN_PERIODS = 60
SHOWN_RECEIVERS = 20
SHOWN_UNASKED = 6


@readers_only
@require_safe
def show_feature(request: MemberRequest, pk: int) -> HttpResponse:
    """What it is, whose, until when, and every period paid."""
    feature = find_feature(request.actor, pk)
    periods = feature.periods.select_related("transfer", "plan").order_by("-starts_on")
    shown = list(periods[: SHOWN_PERIODS + 1])
    page = {
        "periods": shown[:SHOWN_PERIODS],
        "has_more": len(shown) > SHOWN_PERIODS,
        "can_change": _can_change(feature),
        "can_undo": _is_usable(feature) and not feature.renews and feature.member.is_present,
    }
    return _render(request, feature, "billing/feature.html", page)


@administrators_only
@active_company_only
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: MemberRequest, pk: int) -> HttpResponse:
    """Another plan or period from the next renewal on."""
    feature = find_feature(request.actor, pk)
    if not _can_change(feature):
        return redirect("feature", pk)
    company = feature.company
    plans = list_plans(company, feature.kind, on=feature.paid_until)
    if feature.kind == FeatureKind.NUMBER:
        plans = [plan for plan in plans if plan.country == feature.plan.country]
    plan = _plan_looked_at(request, feature, plans)
    if plan is None:
        messages.error(request, _("No plan of this kind is offered then."))
        return redirect("feature", pk)
    known = prices_of([plan.pk], company.currency)
    form = PeriodForm(
        request.POST if request.method == "POST" else None,
        prices={months: known[key, months] for key, months in sorted(known)},
        currency=company.currency,
        count=1,
        initial={"months": str(feature.next_months or feature.months)},
    )
    if form.is_valid():
        months = form.cleaned_data["months"]
        try:
            change_feature(actor=request.actor, subscription_id=pk, plan=plan, months=months)
        except (NotAllowed, NotFound):
            raise
        except ProductError as error:
            form.add_error("months" if error.field == "months" else None, str(error))
        else:
            messages.success(request, _say_changed(feature, plan, months))
            return redirect("feature", pk)
    page = {
        "form": form,
        "plans": plans,
        "plan": plan,
        "plan_words": plan_words(plan),
        "charge_on": charge_day(feature.paid_until, started_on=feature.started_on),
    }
    return _render(request, feature, "billing/feature_change.html", page, form.is_bound)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: MemberRequest, pk: int) -> HttpResponse:
    """The feature runs out, after a look at what that means."""
    feature = find_feature(request.actor, pk)
    if not feature.renews or feature.status == Subscription.Status.ENDED:
        if request.method == "POST" and not feature.renews:
            messages.info(request, _("It is cancelled already."))
        return redirect("feature", pk)

    def act() -> str:
        cancel_feature(actor=request.actor, subscription_id=pk)
        words = _("Cancelled. %(feature)s stays usable until %(until)s.")
        return words % {"feature": feature.plan.name, "until": format_date(feature.paid_until)}

    return _confirm(request, feature, "billing/feature_cancel.html", act)


@administrators_only
@active_company_only
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: MemberRequest, pk: int) -> HttpResponse:
    """A cancelled feature renews again, after a look at day and price."""
    feature = find_feature(request.actor, pk)
    if feature.renews or not _is_usable(feature):
        return redirect("feature", pk)

    def act() -> str:
        undo_cancel(actor=request.actor, subscription_id=pk)
        return _("The cancel is taken back. %(feature)s renews again.") % {
            "feature": feature.plan.name
        }

    company, error = feature.company, ""
    page: dict[str, Any] = {
        "charge_on": charge_day(feature.paid_until, started_on=feature.started_on)
    }
    try:
        price = price_for(feature.plan, feature.months, company=company, on=feature.paid_until)
        page["price"] = price_words(price, feature.months, company.currency)
    except PlanNotOffered as refusal:
        error = str(refusal)
    return _confirm(request, feature, "billing/feature_undo.html", act, page, error)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def reallocate(request: MemberRequest, pk: int) -> HttpResponse:
    """The number is somebody else's, with what is paid of it."""
    feature = find_feature(request.actor, pk)
    if feature.number is None or not _is_usable(feature):
        return redirect("feature", pk)
    search = typed_search(request.GET.get("q", ""))
    found = _receivers(request, feature, search)
    # One that was chosen stays among them when the form comes back.
    most = SHOWN_RECEIVERS if search or request.method == "POST" else SHOWN_UNASKED
    note = feature.number.area.note
    form = ReceiverForm(
        request.POST if request.method == "POST" else None,
        members=found[:most],
        has_note=bool(note),
    )
    if form.is_valid():
        try:
            moved = reallocate_number(
                actor=request.actor,
                subscription_id=pk,
                member_id=form.cleaned_data["member"],
                accepts_residence=bool(form.cleaned_data.get("accepted")),
            )
        except (NotAllowed, NotFound):
            raise
        except ProductError as error:
            form.add_error("member" if error.field == "member" else None, str(error))
        else:
            words = _("The number is %(name)s's now. Nothing was charged.")
            messages.success(request, words % {"name": moved.member.name})
            return redirect("feature", pk)
    page = {
        "form": form,
        "search": search,
        "found_count": len(found),
        "has_more": len(found) > most,
        "note": note,
    }
    return _render(request, feature, "billing/feature_reallocate.html", page, form.is_bound)


def _receivers(request: MemberRequest, feature: Subscription, search: str) -> list[Member]:
    """Whoever fits the search, present and not the holder; one more than is shown."""
    company = request.actor.company
    members = filtered_members(
        company, MemberFilters(search=search), today=company.day_at(utc_now())
    )
    members = members.filter(status__in=PRESENT).exclude(pk=feature.member_id)
    return list(members.select_related("user").order_by("name_key", "pk")[: SHOWN_RECEIVERS + 1])


def _plan_looked_at(
    request: MemberRequest, feature: Subscription, plans: list[Plan]
) -> Plan | None:
    """The plan that is asked for, else the one that comes next, else the first offered."""
    next_plan = feature.next_plan or feature.plan
    for code in (request.GET.get("plan", ""), next_plan.code):
        for plan in plans:
            if plan.code == code:
                return plan
    return plans[0] if plans else None


def _say_changed(feature: Subscription, plan: Plan, months: int) -> str:
    company = feature.company
    if (plan.pk, months) == (feature.plan_id, feature.months):
        return _("It stays as it is.")
    price = price_for(plan, months, company=company, on=feature.paid_until)
    return _("From %(from)s on: %(plan)s, %(price)s.") % {
        "from": format_date(feature.paid_until),
        "plan": plan.name,
        "price": renewal_words(price, months, company.currency),
    }


def _is_usable(feature: Subscription) -> bool:
    if feature.status == Subscription.Status.GRACE:
        return True
    is_open = feature.status != Subscription.Status.ENDED
    return is_open and feature.paid_until > feature.company.day_at(utc_now())


def _can_change(feature: Subscription) -> bool:
    """Whether another plan may follow: not after a cancel, but when its own is withdrawn."""
    goes_on = feature.renews or (feature.cancelled_at is None and feature.member.is_present)
    return goes_on and _is_usable(feature)


def _confirm(
    request: MemberRequest,
    feature: Subscription,
    template: str,
    act: Callable[[], str],
    page: dict[str, Any] | None = None,
    error: str = "",
) -> HttpResponse:
    """Does it when posted and goes to the feature; else, or when refused, the page."""
    if request.method == "POST":
        try:
            words = act()
        except (NotAllowed, NotFound):
            raise
        except ProductError as refusal:
            error = str(refusal)
        else:
            messages.success(request, words)
            return redirect("feature", feature.pk)
    is_refused = request.method == "POST"
    return _render(request, feature, template, {**(page or {}), "error": error}, is_refused)


def _render(
    request: MemberRequest,
    feature: Subscription,
    template: str,
    page: dict[str, Any],
    is_refused: bool = False,
) -> HttpResponse:
    company = request.actor.company
    (line,) = price_features(company, [feature])
    context = {
        "feature": feature,
        "line": line,
        "looks": looks_of(feature.kind),
        "period": period_words(feature.months),
        "paid": price_words(line.price, feature.months, line.currency),
        "renewal": _renewal(line, company.currency),
        "title": readable_number(feature.number.e164) if feature.number else feature.plan.name,
        "currency": company.currency,
        **page,
    }
    return render(request, template, context, status=REFUSED if is_refused else SHOWN)


def _renewal(line: FeatureLine, currency: str) -> str:
    if line.terms is None:
        return ""
    return renewal_words(line.terms.price, line.terms.months, currency)
