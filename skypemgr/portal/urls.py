"""The portal's addresses."""

from django.urls import path

from skypemgr.portal.views import dashboard, health, live, me, reports, settings

urlpatterns = [
    path("", dashboard.show_dashboard, name="dashboard"),
    path("me/", me.show_me, name="me"),
    path("live/", live.poll, name="live"),
    path("reports/", reports.show_reports, name="reports"),
    path("reports/<slug:name>/", reports.show_report, name="report"),
    path("reports/<slug:name>/export/", reports.export_report, name="report_export"),
    path("settings/", settings.show_settings, name="settings"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
]
