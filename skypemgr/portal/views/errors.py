"""What people see when a page cannot be shown. Its one rule: the API never gets a page."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

_API = "/api/"


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403, with the way back."""
    if request.path.startswith(_API):
        return _problem(403, "not_allowed", _("Your role does not permit this."))
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, the same whether it never was or belongs to another company."""
    if request.path.startswith(_API):
        return _problem(404, "not_found", _("There is nothing at this address."))
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, drawn without session or database: they may be what is broken."""
    if request.path.startswith(_API):
        return _problem(500, "server_error", _("Something went wrong on our side."))
    return HttpResponse(render_to_string("500.html"), status=500)


def _problem(status: int, code: str, title: str) -> JsonResponse:
    return JsonResponse(
        {"type": "about:blank", "title": title, "status": status, "code": code, "detail": title},
        status=status,
        content_type="application/problem+json",
    )
