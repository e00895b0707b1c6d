"""Pages about logins that allauth does not bring: sending the link again, a first password."""

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.stages import EmailVerificationStage, LoginStageController
from allauth.account.views import EmailView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from members.account_forms import FirstPasswordForm, resend_confirmation
from members.details import refresh_search
from members.models import User
from members.welcome import read_welcome, set_first_password
from skypemgr.lib.errors import ProductError


class OwnAddressesView(EmailView):  # type: ignore[misc]
    """One's own e-mail addresses; whatever changed, look-ups know it."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The action of the button that was pressed is done."""
        answer: HttpResponse = super().post(request, *args, **kwargs)
        if isinstance(request.user, User):
            refresh_search(request.user)
        return answer


@require_POST
def resend_link(request: HttpRequest) -> HttpResponse:
    """The activation link was mailed again to whoever is signing up in this browser."""
    stage = LoginStageController.enter(request, EmailVerificationStage.key)
    if stage is None:
        return redirect("account_login")
    if not resend_confirmation(request, stage.login):
        messages.warning(request, _("The last link is less than a minute old. Please wait."))
    return redirect("account_email_verification_sent")


@never_cache
@sensitive_post_parameters("password1")
@require_http_methods(["GET", "POST"])
def set_password(request: HttpRequest, token: str) -> HttpResponse:
    """Somebody whose account was made for them sets the first password and is signed in."""
    try:
        user = read_welcome(token)
        form = FirstPasswordForm(request.POST or None, user=user)
        if request.method == "POST" and form.is_valid():
            user = set_first_password(token=token, password=form.cleaned_data["password1"])
            record_authentication(request, user, method="password")
            response: HttpResponse = perform_login(request, Login(user=user, email=user.email))
            return response
    except ProductError as error:
        over = {"error": error}
        return render(request, "members/welcome_over.html", over, status=error.status)
    status = 422 if request.method == "POST" else 200
    member = user.memberships.select_related("company").order_by("-pk").first()
    values = {"form": form, "user_name": str(user), "member": member, "email": user.email}
    return render(request, "members/welcome.html", values, status=status)
