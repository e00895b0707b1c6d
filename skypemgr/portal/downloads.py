"""Reports as files to download. Its one rule: what takes long is left to a worker."""

from functools import partial

from django.http import FileResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from skypemgr.lib.errors import ProductError
from skypemgr.lib.exports import CSV_TYPE, XLSX_TYPE, csv_response, file_response, send_file
from skypemgr.portal.exports.asking import open_file
from skypemgr.portal.exports.files import Source, table_of, write_report
from skypemgr.portal.models import Export

FORMATS = ("csv", "xlsx", "pdf")
CONTENT_TYPES = {
    "csv": CSV_TYPE,
    "xlsx": XLSX_TYPE,
    "pdf": "application/pdf",
    "json": "application/json",
    "zip": "application/zip",
}
# CSV is sent while it is read; a workbook or a PDF has to be ready first.
MOST_ROWS = {"xlsx": 50_000, "pdf": 2_000}


class TooLargeAtOnce(ProductError):
    """A worker has to write this file."""

    code = "too_large_at_once"


def download(source: Source, *, form: str) -> HttpResponseBase:
    """The report's rows as ``csv``, ``xlsx`` or ``pdf``. Raises TooLargeAtOnce."""
    if form == "csv":
        table = table_of(source)
        return csv_response(source.file_name, table.header, table.rows, language=source.language)
    if source.report.count > MOST_ROWS[form]:
        raise TooLargeAtOnce(
            _("This file is too large to be written at once. Have it generated for you instead."),
            field="format",
        )
    return file_response(
        f"{source.file_name}.{form}",
        CONTENT_TYPES[form],
        partial(write_report, source, form),
    )


def download_written(export: Export) -> FileResponse:
    """The file that a worker has written. Raises NotFound while there is none."""
    form = export.file_name.rpartition(".")[2]
    return send_file(open_file(export), export.file_name, CONTENT_TYPES[form])
