"""Who is signed in, in which company, and in which language and time zone they read.

Its one rule: what a verb refuses as unknown or not allowed becomes a 404 or 403 page here, never
in a view.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.handlers.exception import response_for_exception
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django.utils.translation.trans_real import parse_accept_lang_header

from members.models import Company, Member, User
from members.models.people import PRESENT
from members.sessions import note_seen
from skypemgr.lib.errors import NotAllowed, NotFound


def find_present_member(user: User) -> Member | None:
    """The login's place, active or suspended, with its company, user and list."""
    return (
        Member.objects.select_related("company", "user", "list")
        .filter(user=user, status__in=PRESENT)
        .first()
    )


class CurrentMemberMiddleware:
    """Sets ``request.member`` and activates the reader's language and time zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user if request.user.is_authenticated else None
        member = find_present_member(user) if user else None
        request.member = member  # type: ignore[attr-defined]
        if user:
            _activate(request, user, member.company if member else None)
            note_seen(request)
        try:
            response = self.get_response(request)
            if user:
                _remember_language(user, response)
            return response
        finally:
            timezone.deactivate()

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """A refusal that a view let through is shown as the page for it."""
        if isinstance(exception, NotFound):
            return response_for_exception(request, Http404(str(exception)))
        if isinstance(exception, NotAllowed):
            return response_for_exception(request, PermissionDenied(str(exception)))
        return None


def _activate(request: HttpRequest, user: User, company: Company | None) -> None:
    language = user.language
    if not language and company and not _says_language(request):
        language = company.language
    if language:
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()
    zone = user.time_zone or (company.present_zone if company else "")
    if zone:
        timezone.activate(zone)


def _says_language(request: HttpRequest) -> bool:
    """Whether the browser names one of our languages, by the switch or by its own settings."""
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return True
    wanted = parse_accept_lang_header(request.headers.get("Accept-Language", "").lower())
    ours = {code for code, _name in settings.LANGUAGES}
    return any(code.split("-")[0] in ours for code, _weight in wanted)


def _remember_language(user: User, response: HttpResponseBase) -> None:
    # The switch in the header only sets a cookie; mails are written in the language chosen there.
    chosen = response.cookies.get(settings.LANGUAGE_COOKIE_NAME)
    if chosen and chosen.value and chosen.value != user.language:
        User.objects.filter(pk=user.pk).update(language=chosen.value)
