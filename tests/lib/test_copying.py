"""What the database writes is what Python would write."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import connection

from skypemgr.lib.copying import copy_csv
from skypemgr.lib.exports import Row, csv_lines

QUERY = """
SELECT * FROM (VALUES
  (1, '2026-09-03'::date, 'Zoé; «dupont», "x"', 1234.5000::numeric(18, 4), 3::bigint),
  (2, NULL, E'=cmd|'' /C''\\t\\n', -0.5000, NULL),
  (3, '2026-09-04', E'\\u00a0 ＋1 שלום 🙂 100%%s', 0, 0),
  (4, NULL, '', NULL, NULL)
) line ("id", "day", "name", "amount", "calls")
WHERE "id" <= %(most)s
ORDER BY "id" DESC
"""
ROWS = [
    (4, None, "", None, None),
    (3, date(2026, 9, 4), "\u00a0 ＋1 שלום 🙂 100%s", Decimal("0"), 0),
    (2, None, "=cmd|' /C'\t\n", Decimal("-0.5000"), None),
    (1, date(2026, 9, 3), 'Zoé; «dupont», "x"', Decimal("1234.5000"), 3),
]
HEADER = ("id", "day", "name", "amount", "calls")


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_database_writes_the_same_cells(language: str) -> None:
    file = io.BytesIO()
    told: list[int] = []
    copy_csv(file, QUERY, {"most": 4}, language=language, tick=told.append)
    written = file.getvalue().decode()
    expected = "".join(csv_lines(HEADER, ROWS, language=language))
    delimiter = ";" if language == "fr" else ","

    def cells(text: str) -> list[list[str]]:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))

    assert cells(written) == cells(expected)
    assert told


@pytest.mark.django_db
def test_a_parameter_chooses_rows_and_a_header_names_columns() -> None:
    file = io.BytesIO()
    copy_csv(file, QUERY, {"most": 0}, header=["Nr", "Day", "=Name", "Amount", "Calls"])
    assert file.getvalue().decode() == "\ufeffNr,Day,'=Name,Amount,Calls\n"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "fr"])
def test_instants_and_the_lines_below_are_written_like_the_rest(language: str) -> None:
    file = io.BytesIO()
    query = "SELECT '2026-09-03 14:05:06'::timestamp AS at, '2026-09-03'::date AS day, 'x' AS name"
    below: list[Row] = [[None, date(2026, 9, 30), "=sum"], [None, None, Decimal("0.5000")]]
    copy_csv(file, query, {}, language=language, footer=below)
    rows: list[Row] = [[datetime(2026, 9, 3, 14, 5, 6), date(2026, 9, 3), "x"], *below]  # noqa: DTZ001
    expected = "".join(csv_lines(("at", "day", "name"), rows, language=language))
    assert file.getvalue().decode() == expected.replace("\r\n", "\n")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('DateStyle'), '2026-09-03'::date")
        assert cursor.fetchone() == ("ISO, MDY", date(2026, 9, 3))
