"""Manage auto-recharge: for one member, or for many at once.

Its one rule: what saving would do at this moment is told in numbers before it is saved.
"""

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from credit.accounts import balances
from credit.allocation import Recipients, recipients_query
from credit.choosing import AT_ONCE, Choice, read_choice, say_count_changed, why_too_many
from credit.errors import CreditError
from credit.forms import BulkRuleForm, RuleForm
from credit.queries.rules import preview_rule, read_outcomes
from credit.rules import (
    RuleStatus,
    SavedRules,
    describe_rule,
    describe_rules,
    save_rules,
    switch_off_rule,
)
from credit.views.shared import SHOWN_MEMBERS, refuse_misread, why_nothing_can_be_added
from credit.wording import (
    left_sentence,
    preview_sentences,
    preview_sentences_for_many,
    rule_sentence,
)
from members.access import MemberRequest, administrators_only, find_member, readers_only
from members.actors import Actor
from members.models import Member
from skypemgr.lib.errors import NotAllowed, ProductError
from skypemgr.lib.formats import format_money, format_number
from skypemgr.lib.periods import first_of_next_month, utc_now

PREVIEW = "rule-preview"


@dataclass(frozen=True, slots=True)
class PreviewWords:
    """What the three typed values mean, and what saving them would do now."""

    sentence: str
    is_cut: bool
    cut_amount: str
    lines: list[str]


@readers_only
def manage_recharge(request: MemberRequest, pk: int) -> HttpResponse:
    """One member's rule: set it, see how it stands and what it did."""
    member = find_member(request.actor, pk)
    if request.method == "POST":
        request.actor.require_administrator()
        return _switch_off(request, member) if "off" in request.POST else _save(request, member)
    if request.htmx and request.htmx.target == PREVIEW:
        return _show_preview(request, RuleForm(request.GET), [member.pk], is_one=True)
    status = describe_rule(member)
    return _show_one(request, member, RuleForm.of_rule(status.rule if status else None), status)


@administrators_only
def manage_recharge_of_many(request: MemberRequest) -> HttpResponse:
    """The same rule for each chosen member."""
    choice = read_choice(request.actor, request.GET)
    if choice.is_misread:
        return refuse_misread(request)
    try:
        members = recipients_query(request.actor, choice.recipients)
    except CreditError as error:
        messages.error(request, str(error))
        return redirect("members")
    count = members.count()
    if request.htmx and request.htmx.target == PREVIEW:
        return _show_preview(request, RuleForm(request.GET), _ids(members), is_one=False)
    if request.method != "POST" or why_too_many(count):
        form = BulkRuleForm(initial={"shown_count": count})
        return _show_many(request, choice, members, count, form)
    return _save_many(request, choice, members, count)


def _ids(members: QuerySet[Member]) -> list[int]:
    """Of no more members than can be changed at once."""
    return list(members.values_list("pk", flat=True)[:AT_ONCE])


def _save(request: MemberRequest, member: Member) -> HttpResponse:
    form = RuleForm(request.POST)
    if form.is_valid():
        try:
            saved = save_rules(
                actor=request.actor,
                recipients=Recipients(member_ids=(member.pk,)),
                terms=form.terms(),
            )
        except ProductError as error:
            _refuse(form, error)
        else:
            _tell_one(request, member, saved)
            return redirect("member_recharge", pk=member.pk)
    return _show_one(request, member, form, describe_rule(member), code=422)


def _save_many(
    request: MemberRequest, choice: Choice, members: QuerySet[Member], count: int
) -> HttpResponse:
    form = BulkRuleForm(request.POST.dict())
    if form.is_valid() and form.cleaned_data["shown_count"] != count:
        form.data = {**form.data, "shown_count": str(count)}
        form.add_error(None, say_count_changed(count))
    if form.is_valid():
        try:
            saved = save_rules(
                actor=request.actor, recipients=choice.recipients, terms=form.terms()
            )
        except ProductError as error:
            _refuse(form, error)
        else:
            _tell_many(request, saved)
            return redirect("members")
    return _show_many(request, choice, members, count, form, code=422)


def _switch_off(request: MemberRequest, member: Member) -> HttpResponse:
    switch_off_rule(actor=request.actor, member_id=member.pk)
    messages.success(
        request, _("Auto-recharge of %(name)s is switched off.") % {"name": member.name}
    )
    return redirect("member_recharge", pk=member.pk)


def _refuse(form: RuleForm, error: ProductError) -> None:
    if isinstance(error, NotAllowed):
        raise error
    form.add_error(error.field if error.field in form.fields else None, str(error))


def _tell_one(request: MemberRequest, member: Member, saved: SavedRules) -> None:
    currency = request.actor.company.currency
    if saved.recharged:
        sentence = _("Auto-recharge of %(name)s is on. %(amount)s was added now.")
    else:
        sentence = _("Auto-recharge of %(name)s is on. Nothing had to be added now.")
    amount = format_money(saved.recharged, currency)
    messages.success(request, sentence % {"name": member.name, "amount": amount})


def _tell_many(request: MemberRequest, saved: SavedRules) -> None:
    currency = request.actor.company.currency
    sentence = ngettext(
        "Auto-recharge of %(count)s member is on. Added now: %(amount)s.",
        "Auto-recharge of %(count)s members is on. Added now: %(amount)s in all.",
        saved.count,
    )
    messages.success(
        request,
        sentence
        % {
            "count": format_number(saved.count),
            "amount": format_money(saved.recharged, currency),
        },
    )


def _show_preview(
    request: MemberRequest, form: RuleForm, ids: list[int], *, is_one: bool
) -> HttpResponse:
    context = {"preview": _words(request.actor, form, ids, is_one=is_one)}
    return render(request, "credit/parts/rule_preview.html", context)


def _words(actor: Actor, form: RuleForm, ids: list[int], *, is_one: bool) -> PreviewWords | None:
    """The live part of the page; None until three amounts stand in the form."""
    if not form.is_valid() or why_nothing_can_be_added(actor.company):
        return None
    company, terms, today = actor.company, form.terms(), _today(actor)
    preview = preview_rule(
        company,
        ids,
        amount=terms.amount,
        threshold=terms.threshold,
        monthly_limit=terms.monthly_limit,
        today=today,
    )
    resumes_on = first_of_next_month(today)
    return PreviewWords(
        sentence=rule_sentence(
            terms.amount, terms.threshold, terms.monthly_limit, company.currency
        ),
        is_cut=terms.is_cut,
        cut_amount=format_money(terms.monthly_limit, company.currency),
        lines=preview_sentences(preview, company.currency, suspended_until=resumes_on, today=today)
        if is_one
        else preview_sentences_for_many(preview, company.currency),
    )


def _show_one(
    request: MemberRequest,
    member: Member,
    form: RuleForm,
    status: RuleStatus | None,
    *,
    code: int = 200,
) -> HttpResponse:
    company, today = request.actor.company, _today(request.actor)
    typed = form
    if not form.is_bound and status is not None:
        # What already stands in the fields is told in words too.
        rule = status.rule
        typed = RuleForm(
            {
                "amount": rule.amount,
                "threshold": rule.threshold,
                "monthly_limit": rule.monthly_limit,
            }
        )
    context = {
        "member": member,
        "form": form,
        "status": status,
        "left": left_sentence(status, company.currency, today) if status else "",
        "outcomes": read_outcomes(status.rule) if status else [],
        "preview": _words(request.actor, typed, [member.pk], is_one=True),
        "obstacle": why_nothing_can_be_added(company, member),
        "can_change": request.member.is_administrator,
        "currency": company.currency,
        "today": today,
    }
    return render(request, "credit/member_recharge.html", context, status=code)


def _show_many(
    request: MemberRequest,
    choice: Choice,
    members: QuerySet[Member],
    count: int,
    form: BulkRuleForm,
    *,
    code: int = 200,
) -> HttpResponse:
    company = request.actor.company
    shown = list(members.select_related("company")[:SHOWN_MEMBERS])
    held = balances(company.pk, [member.pk for member in shown])
    rules = describe_rules(shown)
    preview = _words(request.actor, form, _ids(members), is_one=False) if form.is_bound else None
    context = {
        "choice": choice,
        "form": form,
        "obstacle": why_nothing_can_be_added(company) or why_too_many(count),
        "count": count,
        "rows": [(member, held[member.pk].balance, rules.get(member.pk)) for member in shown],
        "more_count": count - len(shown),
        "preview": preview,
        "currency": company.currency,
    }
    return render(request, "credit/recharge_many.html", context, status=code)


def _today(actor: Actor) -> date:
    return actor.company.day_at(utc_now())
