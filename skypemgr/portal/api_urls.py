"""The API's addresses about what the portal shows."""

from django.urls import re_path
from django.urls.resolvers import URLPattern

from skypemgr.portal.api import ReportDoor
from skypemgr.portal.reports.catalogue import REPORTS

urlpatterns: list[URLPattern] = [
    re_path(rf"^reports/(?P<name>{'|'.join(REPORTS)})/?$", ReportDoor.as_view(), name="api_report"),
]
