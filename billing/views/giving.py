"""Giving features, step by step: what, for how long, check, done.

Their one rule: each step stands in the address, so that back and reload change nothing; only the
last one pays, once for its key.
"""

from decimal import Decimal
from itertools import zip_longest
from typing import Any
from uuid import uuid4

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from billing.errors import NumberNotAvailable
from billing.feature_forms import BuyForm, PeriodForm, PlanForm
from billing.features.destinations import country_name, is_about
from billing.features.giving import GivingPreview, Wish, give_feature, preview_giving
from billing.features.kinds import looks_of
from billing.features.left import count_left, countries_of_numbers
from billing.features.numbers import reserve_numbers
from billing.features.periods import add_months, charge_day
from billing.features.prices import list_plans, prices_of
from billing.features.wording import period_words, plan_words, price_by_month, renewal_words
from billing.models import FeatureKind, NumberArea, PhoneNumber, Plan, Subscription
from billing.views.giving_steps import (
    OWN,
    Chosen,
    Giving,
    Turned,
    address,
    back_to_plans,
    done_before,
    kept_steps,
    read_chosen,
    read_key,
    read_months,
    read_numbers,
    start,
    turn_back,
)
from credit.accounts import company_balance
from credit.choosing import Choice, say_count_changed
from credit.errors import IdempotencyConflict
from credit.models import OutsideRequest
from credit.requests import OutsideKey
from members.access import MemberRequest, active_company_only, administrators_only
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.periods import utc_now
from skypemgr.lib.text import search_key

SHOWN, REFUSED = 200, 422
SHOWN_ROWS = 50


@administrators_only
@active_company_only
@require_http_methods(["GET", "HEAD", "POST"])
def choose_plan(request: MemberRequest, slug: str) -> HttpResponse:
    """Step 1: which plan, and of which area a number."""
    try:
        giving = start(request, slug)
    except Turned as turn:
        return turn_back(request, turn)
    company = request.actor.company
    plans = list_plans(company, giving.looks.kind, on=company.day_at(utc_now()))
    page: dict[str, Any] = {"find": request.GET.get("find", "").strip()[:100]}
    areas = None
    if giving.is_number:
        page |= _countries(request, plans)
        plans = [plan for plan in plans if plan.country == page["country"]]
        areas = count_left(request.actor, page["country"]) if plans else []
        page["notes"] = _notes([each.area for each in areas])
    elif giving.looks.kind == FeatureKind.SUBSCRIPTION:
        page["can_find"] = bool(plans)
        plans = [plan for plan in plans if is_about(plan, page["find"])]
    elif len(plans) == 1 and request.method != "POST":
        return HttpResponseRedirect(address(request, "period", slug, plan=plans[0].code))
    least = _least(plans, company.currency)
    form = PlanForm(
        request.POST if request.method == "POST" else None,
        plans=plans,
        areas=areas,
        least=least,
        currency=company.currency,
        count=giving.receivers.count,
        initial={name: request.GET.get(name, "") for name in ("plan", "area", "accepted")},
    )
    if plans and form.is_valid():
        chosen = {name: form.cleaned_data.get(name) for name in ("plan", "area")}
        chosen["accepted"] = "1" if form.cleaned_data.get("accepted") else None
        return HttpResponseRedirect(address(request, "period", slug, **chosen))
    page |= {"form": form, "plans": plans}
    if len(plans) == 1:
        page["price_from"] = least.get(plans[0].pk)
    return _show(request, giving, "billing/give_plan.html", page, is_refused=form.is_bound)


@administrators_only
@active_company_only
@require_http_methods(["GET", "HEAD", "POST"])
def choose_period(request: MemberRequest, slug: str) -> HttpResponse:
    """Step 2: for how long. Going on from here keeps the numbers for 15 minutes."""
    try:
        giving = start(request, slug)
        chosen = read_chosen(request, giving)
    except Turned as turn:
        return turn_back(request, turn)
    company = request.actor.company
    known = prices_of([chosen.plan.pk], company.currency)
    prices = {months: known[pk, months] for pk, months in sorted(known)}
    form = PeriodForm(
        request.POST if request.method == "POST" else None,
        prices=prices,
        currency=company.currency,
        count=giving.receivers.count,
        initial={"months": request.GET["months"]} if request.GET.get("months") else {},
    )
    if prices and form.is_valid():
        if chosen.area is not None:
            try:
                reserve_numbers(actor=request.actor, area=chosen.area, count=giving.receivers.count)
            except NumberNotAvailable as error:
                return turn_back(request, Turned(back_to_plans(request, slug), str(error)))
        months = form.cleaned_data["months"]
        kept = {name: request.GET.get(name) for name in ("plan", "area", "accepted")}
        key = str(uuid4())
        return HttpResponseRedirect(address(request, "check", slug, **kept, months=months, key=key))
    page = {
        "form": form,
        "chosen": chosen,
        "plan_words": plan_words(chosen.plan),
        "prices": prices,
        "balance": company_balance(company),
        "back_url": back_to_plans(request, slug),
    }
    return _show(request, giving, "billing/give_period.html", page, is_refused=form.is_bound)


@administrators_only
@active_company_only
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: MemberRequest, slug: str) -> HttpResponse:
    """Step 3: who gets what, what it costs, what is left; Buy now."""
    key = read_key(request)
    done = done_before(request, key)
    if done is not None:
        return redirect("feature_given", done)
    if key is None:
        return HttpResponseRedirect(address(request, "period", slug, **kept_steps(request)))
    try:
        giving = start(request, slug)
        chosen = read_chosen(request, giving)
        months = read_months(request, slug)
        numbers = read_numbers(request, giving, chosen)
        wish = Wish(
            plan=chosen.plan,
            months=months,
            recipients=giving.receivers.recipients,
            numbers=tuple(number.pk for number in numbers),
            accepts_residence=request.GET.get("accepted") == "1",
        )
        preview = _preview(request, slug, wish)
    except Turned as turn:
        return turn_back(request, turn)
    error = ""
    if request.method == "POST":
        form = BuyForm(request.POST)
        error = _why_not(form, preview, numbers)
        if not error:
            try:
                given = give_feature(
                    actor=request.actor,
                    wish=wish,
                    request=OutsideKey.of_form(str(key), _content(wish, giving.choice)),
                )
                return redirect("feature_given", given.id)
            except (NotAllowed, NotFound):
                raise
            except (NumberNotAvailable, IdempotencyConflict) as refusal:
                return turn_back(request, Turned(back_to_plans(request, slug), str(refusal)))
            except ProductError as refusal:
                error = str(refusal)
                preview = _preview(request, slug, wish)
    page = _told(request, chosen, wish, preview, numbers)
    page |= {"error": error, "back_url": address(request, "period", slug, **kept_steps(request))}
    return _show(request, giving, "billing/give_check.html", page, is_refused=bool(error))


@administrators_only
@require_safe
def show_given(request: MemberRequest, pk: int) -> HttpResponse:
    """Step 4: what was given, and what to do next."""
    company = request.actor.company
    found = OutsideRequest.objects.filter(company=company, pk=pk).first()
    answer = found.answer if found and isinstance(found.answer, dict) else {}
    if "subscriptions" not in answer:
        raise NotFound(_("There is no such purchase in your company."), code="unknown_giving")
    features = Subscription.objects.filter(company=company, pk__in=answer["subscriptions"])
    shown = list(
        features.select_related("member", "plan", "number__area").order_by("pk")[:SHOWN_ROWS]
    )
    first = shown[0]
    page = {
        "looks": looks_of(first.kind),
        "rows": shown,
        "first": first,
        "count": answer["count"],
        "more_count": answer["count"] - len(shown),
        "total": Decimal(answer["total"]),
        "balance_after": Decimal(answer["company_balance_after"]),
        "currency": company.currency,
        "plan_words": plan_words(first.plan),
    }
    return render(request, "billing/give_done.html", page)


def _preview(request: MemberRequest, slug: str, wish: Wish) -> GivingPreview:
    try:
        return preview_giving(actor=request.actor, wish=wish)
    except (NotAllowed, NotFound):
        raise
    except ProductError as error:
        raise Turned(back_to_plans(request, slug), str(error)) from error


def _why_not(form: BuyForm, preview: GivingPreview, numbers: list[PhoneNumber]) -> str:
    """Why what was confirmed is not what would be done; empty when it is."""
    if not form.is_valid():
        return _("This page is too old. Please check again.")
    if form.number_ids() != tuple(number.pk for number in numbers):
        return _("Other numbers are kept for you now. Please check again.")
    if form.cleaned_data["shown_count"] != preview.count:
        return say_count_changed(preview.count)
    if form.cleaned_data["shown_total"] != preview.total:
        return _("The price changed meanwhile. Please check again.")
    return ""


def _content(wish: Wish, choice: Choice) -> object:
    return {
        "plan": wish.plan.code,
        "months": wish.months,
        "numbers": wish.numbers,
        **choice.content(),
    }


def _told(
    request: MemberRequest,
    chosen: Chosen,
    wish: Wish,
    preview: GivingPreview,
    numbers: list[PhoneNumber],
) -> dict[str, Any]:
    company = request.actor.company
    today = company.day_at(utc_now())
    paid_until = add_months(today, wish.months, anchor_day=today.day)
    members = list(preview.members.order_by("pk")[:SHOWN_ROWS])
    missing = max(Decimal(0), preview.total - preview.company_balance)
    form = BuyForm(
        initial={
            "shown_count": preview.count,
            "shown_total": preview.total,
            "numbers": ",".join(str(number.pk) for number in numbers),
        }
    )
    return {
        "form": form,
        "chosen": chosen,
        "plan_words": plan_words(chosen.plan),
        "period": period_words(wish.months),
        "renewal": renewal_words(preview.price, wish.months, company.currency),
        "preview": preview,
        "missing": missing,
        "rows": zip_longest(members, numbers[: len(members)]),
        "more_count": preview.count - len(members),
        "paid_until": paid_until,
        "charge_on": charge_day(paid_until, started_on=today),
        "kept_until": min(
            (each.reserved_until for each in numbers if each.reserved_until), default=None
        ),
    }


def _countries(request: MemberRequest, plans: list[Plan]) -> dict[str, Any]:
    """The countries that have a plan and an area, and the one looked at: the asked one, that of the
    plan chosen before, the company's own, the first.
    """
    codes = {plan.country for plan in plans} & countries_of_numbers()
    named = sorted(
        ((code, country_name(code)) for code in codes), key=lambda pair: search_key(pair[1])
    )
    chosen = request.GET.get("plan", "")
    wanted = [
        request.GET.get("country", ""),
        *(plan.country for plan in plans if plan.code == chosen),
        request.actor.company.country,
        *(code for code, _name in named),
    ]
    return {
        "countries": named,
        "country": next((code for code in wanted if code in codes), ""),
    }


def _notes(areas: list[NumberArea]) -> list[tuple[str, str]]:
    """The rules of residence, each once with the areas that have it."""
    found: dict[str, list[str]] = {}
    for area in areas:
        if area.note:
            found.setdefault(area.note, []).append(area.name)
    return [(", ".join(names), note) for note, names in found.items()]


def _least(plans: list[Plan], currency: str) -> dict[int, Decimal]:
    """The lowest price of a month of each plan."""
    least: dict[int, Decimal] = {}
    for (pk, months), price in prices_of([plan.pk for plan in plans], currency).items():
        by_month = price_by_month(price, months, currency)
        least[pk] = min(least.get(pk, by_month), by_month)
    return least


def _show(
    request: MemberRequest, giving: Giving, template: str, page: dict[str, Any], *, is_refused: bool
) -> HttpResponse:
    context = {
        "looks": giving.looks,
        "choice": giving.choice,
        "count": giving.receivers.count,
        "apart": giving.receivers.apart,
        "currency": request.actor.company.currency,
        "query": request.GET.urlencode(),
        "who": [
            (name, value)
            for name, values in request.GET.lists()
            if name not in OWN
            for value in values
        ],
        **page,
    }
    return render(request, template, context, status=REFUSED if is_refused else SHOWN)
