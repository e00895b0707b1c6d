"""Files that somebody asked for. Its one rule: how far the work is stands in the row, so that a
worker that dies loses nothing and a second one does nothing twice.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models import Company, Member


class Export(models.Model):
    """One file of reports, or of all a company has.

    ``span`` and ``filters`` are the parameters of the reports' addresses, ``reports`` their names.
    ``attempt`` counts the workers that took it up; the last one alone may go on. ``stored_as`` is
    the file's place in the storage, ``file_name`` what it is called when downloaded.
    """

    class Kind(models.TextChoices):
        REPORTS = "reports", _("Reports")
        ARCHIVE = "archive", _("Everything of the company")

    class Form(models.TextChoices):
        CSV = "csv", _("CSV")
        XLSX = "xlsx", _("Excel")
        PDF = "pdf", _("PDF")
        JSON = "json", _("JSON")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being written")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="exports", db_index=False
    )
    made_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="exports", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.REPORTS)
    reports = models.JSONField(default=list)
    span = models.JSONField(default=dict)
    filters = models.JSONField(default=dict)
    form = models.CharField(max_length=4, choices=Form)
    language = models.CharField(max_length=10)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    attempt = models.IntegerField(default=0)
    done_count = models.BigIntegerField(default=0)
    total_count = models.BigIntegerField(default=0)
    failure = models.CharField(max_length=40, blank=True)
    stored_as = models.CharField(max_length=200, blank=True)
    file_name = models.CharField(max_length=200, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=("company", "made_by", "-id"), name="export_of_maker"),
            models.Index(
                fields=("touched_at",),
                condition=models.Q(state__in=("waiting", "running")),
                name="export_at_work",
            ),
            models.Index(fields=("expires_at",), name="export_expires"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(state="ready") | ~models.Q(stored_as=""),
                name="export_ready_has_file",
            ),
        )

    def __str__(self) -> str:
        return self.file_name or f"export {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether a worker has something to do for it."""
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def is_ready(self) -> bool:
        """Whether there is a file to download."""
        return self.state == self.State.READY
