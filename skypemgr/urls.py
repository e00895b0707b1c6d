"""Every address of the product, by app. Its one rule: composition only."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    # Before allauth's, of whose pages one is ours.
    path("", include("members.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("api/v1/", include("skypemgr.api")),
    path("", include("credit.urls")),
    path("", include("billing.urls")),
    path("", include("skypemgr.portal.urls")),
]

if settings.OUTBOX_ENABLED:
    urlpatterns.append(path("outbox/", include("skypemgr.portal.outbox.urls")))

handler403 = "skypemgr.portal.views.errors.forbidden"
handler404 = "skypemgr.portal.views.errors.not_found"
handler500 = "skypemgr.portal.views.errors.server_error"
