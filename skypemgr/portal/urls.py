"""The portal's addresses."""

from django.urls import path

from skypemgr.portal.views import calls, dashboard, exports, health, live, me, reports, settings

urlpatterns = [
    path("", dashboard.show_dashboard, name="dashboard"),
    path("me/", me.show_me, name="me"),
    path("live/", live.poll, name="live"),
    path("reports/", reports.show_reports, name="reports"),
    path("reports/download/", exports.new_export, name="export_new"),
    path("reports/exports/", exports.show_exports, name="exports"),
    path("reports/exports/<int:pk>/", exports.show_export, name="export"),
    path("reports/exports/<int:pk>/file/", exports.download_export, name="export_file"),
    path("reports/<slug:name>/", reports.show_report, name="report"),
    path("reports/<slug:name>/export/", reports.export_report, name="report_export"),
    path("settings/archive/", exports.archive, name="archive"),
    path("calls/", calls.show_calls, name="calls"),
    path("calls/export/", calls.export_calls, name="calls_export"),
    path("calls/price/", calls.show_price, name="call_price"),
    path("settings/", settings.show_settings, name="settings"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
]
