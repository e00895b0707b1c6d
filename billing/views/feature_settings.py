"""The pages on which phones are set. Their one rule: an administrator sets those of the company,
everybody else only their own, also in a company they left.
"""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.features.changing import find_feature
from billing.features.kinds import looks_of
from billing.features.phones import Phone, read_phone
from billing.features.settings import (
    SETTABLE,
    is_usable,
    may_set,
    set_caller_id,
    set_forwarding,
    set_voicemail,
)
from billing.models import FeatureKind, Subscription
from billing.settings_forms import CallerIdForm, ForwardingForm, VoicemailForm
from members.access import (
    MemberRequest,
    PlaceRequest,
    administrators_only,
    people_only,
    places_of,
)
from members.actors import Actor
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.periods import utc_now

SHOWN, REFUSED = 200, 422
SettingsForm = VoicemailForm | ForwardingForm | CallerIdForm
Request = MemberRequest | PlaceRequest


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def show_settings(request: MemberRequest, pk: int) -> HttpResponseBase:
    """An administrator sets what a member's feature does."""
    feature = _settable(find_feature(request.actor, pk))
    crumb = feature.member.name
    member_url = reverse("member_features", args=(feature.member_id,))
    return _show(request, feature, request.actor, crumb, member_url)


@people_only
@require_http_methods(["GET", "HEAD", "POST"])
def show_own_settings(request: PlaceRequest, pk: int) -> HttpResponseBase:
    """Somebody sets what the own feature does."""
    place = places_of(request.place.user).filter(subscriptions=pk).first()
    if place is None:
        raise _unknown()
    actor = Actor.of_member(place)
    feature = _settable(find_feature(actor, pk))
    me_url = reverse("me") if place.is_present else f"{reverse('me')}?place={place.pk}"
    return _show(request, feature, actor, _("My account"), me_url)


def _show(
    request: Request, feature: Subscription, actor: Actor, crumb: str, crumb_url: str
) -> HttpResponseBase:
    member = feature.member
    phone = read_phone(member)
    can_set = may_set(actor, member)
    is_own = actor.member is not None and actor.member.pk == member.pk
    form = _form(request, feature.kind, phone, is_own=is_own)
    is_saved = False
    if form.is_bound and form.is_valid():
        is_saved = _save(actor, member.pk, form)
    if is_saved:
        messages.success(request, _("Saved."))
        return redirect(request.get_full_path())
    page = {
        "form": form,
        "feature": feature,
        "looks": looks_of(feature.kind),
        "member": member,
        "phone": phone,
        "is_own": is_own,
        "is_usable": is_usable(feature, now=utc_now()),
        "can_set": can_set,
        "crumb": crumb,
        "crumb_url": crumb_url,
    }
    page["is_active"] = page["is_usable"] and _is_active(feature.kind, phone)
    status = REFUSED if form.is_bound else SHOWN
    return render(request, "billing/settings_feature.html", page, status=status)


def _form(request: Request, kind: str, phone: Phone, *, is_own: bool) -> SettingsForm:
    data = request.POST if request.method == "POST" else None
    if kind == FeatureKind.VOICEMAIL:
        return VoicemailForm(data, initial=VoicemailForm.start(phone), is_own=is_own)
    if kind == FeatureKind.CALL_FORWARDING:
        return ForwardingForm(data, initial=ForwardingForm.start(phone))
    return CallerIdForm(data, initial=CallerIdForm.start(phone), numbers=phone.numbers)


def _save(actor: Actor, member_id: int, form: SettingsForm) -> bool:
    try:
        if isinstance(form, VoicemailForm):
            set_voicemail(actor=actor, member_id=member_id, terms=form.terms())
        elif isinstance(form, ForwardingForm):
            set_forwarding(actor=actor, member_id=member_id, targets=form.targets())
        else:
            set_caller_id(actor=actor, member_id=member_id, number=form.cleaned_data["number"])
    except NotAllowed:
        raise
    except ProductError as error:
        if isinstance(form, ForwardingForm):
            form.add_refusal(error)
        else:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    return True


def _is_active(kind: str, phone: Phone) -> bool:
    if kind == FeatureKind.VOICEMAIL:
        return phone.voicemail_is_active
    if kind == FeatureKind.CALL_FORWARDING:
        return phone.forwarding_is_active
    return phone.caller_id_is_active


def _settable(feature: Subscription) -> Subscription:
    if feature.kind not in SETTABLE:
        raise _unknown()
    return feature


def _unknown() -> NotFound:
    return NotFound(_("There is no such feature with settings."), code="unknown_feature")
