"""The row of tabs above the reports and the calls. Its one rule: every tab keeps the days."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from skypemgr.portal.reports.catalogue import REPORTS
from skypemgr.portal.spans import Span


def report_tabs(name: str, span: Span | None) -> list[dict[str, Any]]:
    """Each report and the calls of those days, the one of that name open."""
    query = f"?{span.query}" if span else ""
    pages = [(tab, entry.title, reverse("report", args=(tab,))) for tab, entry in REPORTS.items()]
    pages.append(("calls", _("Calls"), reverse("calls")))
    return [
        {"url": url + query, "label": title, "active": tab == name} for tab, title, url in pages
    ]
