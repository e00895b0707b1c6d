"""Imports of members: a file's rows, what becomes of each, and how far the work is.

Its one rule: all progress is in these rows, so that a job can be left, found again and resumed.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models.companies import Company
from members.models.people import Member


class ImportJob(models.Model):
    """One file. ``header`` holds the column names, ``mapping`` the column's index for each field.

    ``starts_itself``: carried out right after the check. ``touched_at``: when the work last got on.
    """

    class State(models.TextChoices):
        MAPPING = "mapping", _("columns to be named")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked")
        IMPORTING = "importing", _("being imported")
        DONE = "done", _("done")
        STOPPED = "stopped", _("nothing imported")

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="imports")
    created_by = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    file_name = models.CharField(max_length=255)
    state = models.CharField(max_length=9, choices=State, default=State.MAPPING)
    header = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    starts_itself = models.BooleanField(default=False)
    all_or_nothing = models.BooleanField(default=False)
    rows_count = models.IntegerField(default=0)
    refused_count = models.IntegerField(default=0)
    imported_count = models.IntegerField(default=0)
    new_lists = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("touched_at",),
                condition=models.Q(state__in=("checking", "importing")),
                name="import_at_work",
            ),
        )

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has something to do for it."""
        return self.state in (self.State.CHECKING, self.State.IMPORTING)

    @property
    def good_count(self) -> int:
        """How many rows are not refused."""
        return self.rows_count - self.refused_count


class ImportRow(models.Model):
    """One line of the file. ``code`` is a verdict of ``members.import_verdicts``; empty: not yet
    checked.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    job = models.ForeignKey(
        ImportJob, on_delete=models.CASCADE, related_name="rows", db_index=False
    )
    line = models.IntegerField()
    cells = models.JSONField()
    code = models.CharField(max_length=24, blank=True)
    member = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = (models.UniqueConstraint("job", "line", name="import_line_once"),)

    def __str__(self) -> str:
        return f"{self.job_id}:{self.line}"

    @property
    def summary(self) -> str:
        """What stands in the row, without its empty cells."""
        return " · ".join(cell for cell in self.cells if cell)
