"""Every address of the API, by app. Its one rule: composition only."""

from django.urls import include, path, re_path
from django.urls.resolvers import URLPattern, URLResolver
from django.utils.translation import gettext_lazy as _
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from skypemgr.lib.errors import NotFound


class Nowhere(APIView):
    """Answers 404 for every address that is none."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Refuses, whatever the method."""
        raise NotFound(_("There is no such address in the API."))

    def get(self, request: Request) -> Response:
        """Never reached."""
        return Response(status=404)


urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^schema/?$", SpectacularJSONAPIView.as_view(), name="api_schema"),
    re_path(
        r"^docs/?$",
        SpectacularSwaggerSplitView.as_view(
            url_name="api_schema", template_name="members/api_docs.html"
        ),
        name="api_docs",
    ),
    path("", include("members.api.urls")),
    path("", include("credit.api.urls")),
    path("", include("billing.api.urls")),
    path("", include("skypemgr.portal.api_urls")),
    re_path(r"", Nowhere.as_view()),
]
