"""The API's addresses about what the portal shows."""

from django.urls import re_path
from django.urls.resolvers import URLPattern

from members.api.base import door
from skypemgr.portal.api import ClosingsDoor, ReportDoor
from skypemgr.portal.api_calls import CallsDoor, OwnCallsDoor, PriceDoor
from skypemgr.portal.api_dashboard import DashboardDoor
from skypemgr.portal.api_exports import ExportDoor, ExportFileDoor, ExportsDoor
from skypemgr.portal.reports.catalogue import REPORTS

urlpatterns: list[URLPattern] = [
    re_path(rf"^reports/(?P<name>{'|'.join(REPORTS)})/?$", ReportDoor.as_view(), name="api_report"),
    door("dashboard", DashboardDoor, "dashboard"),
    door("calls", CallsDoor, "calls"),
    door("me/calls", OwnCallsDoor, "own_calls"),
    door("rates/lookup", PriceDoor, "rates_lookup"),
    door("reports/closings", ClosingsDoor, "closings"),
    door("exports", ExportsDoor, "exports"),
    door("exports/<export_id>", ExportDoor, "export"),
    door("exports/<export_id>/file", ExportFileDoor, "export_file"),
]
