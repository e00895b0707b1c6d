"""The portal's jobs. Its one rule: two lines each, the work is elsewhere."""

from celery import shared_task

from skypemgr.portal.exports import work

# A file of all that a big company has takes longer than any other job.
LONGEST_SECONDS = 3_600


@shared_task(
    name="portal.advance_export",
    time_limit=LONGEST_SECONDS + 60,
    soft_time_limit=LONGEST_SECONDS,
)
def advance_export(export_id: int) -> None:
    """The file was written, unless it was already."""
    work.advance_export(export_id)


@shared_task(
    name="portal.resume_exports",
    time_limit=LONGEST_SECONDS + 60,
    soft_time_limit=LONGEST_SECONDS,
)
def resume_exports() -> None:
    """Every file whose job got lost was taken up, those whose time is over were deleted."""
    work.resume_exports()
