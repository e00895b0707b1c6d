"""Files open in a spreadsheet as they were meant, and never run."""

from datetime import date
from decimal import Decimal

import openpyxl
import pytest

from skypemgr.lib.exports import csv_lines, harmless, xlsx_file

ROWS = [(date(2026, 9, 3), "Zoé; «dupont»", Decimal("1234.5000"), 3, None)]
HEADER = ("Date", "Member", "Amount", "Calls", "Note")


def test_english_csv_parts_columns_by_commas_and_keeps_the_point() -> None:
    lines = list(csv_lines(HEADER, ROWS, language="en"))
    assert lines[0] == "\ufeffDate,Member,Amount,Calls,Note\r\n"
    assert lines[1] == "2026-09-03,Zoé; «dupont»,1234.5000,3,\r\n"


def test_french_csv_parts_columns_by_semicolons_and_writes_commas_and_days_its_own_way() -> None:
    lines = list(csv_lines(HEADER, ROWS, language="fr"))
    assert lines[1] == '03/09/2026;"Zoé; «dupont»";1234,5000;3;\r\n'


@pytest.mark.parametrize("text", ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1+1"])
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert "'" in next(iter(csv_lines([text], [])))


def test_a_negative_amount_stays_a_number() -> None:
    assert list(csv_lines(["x"], [[Decimal("-1.50")]]))[1] == "-1.50\r\n"


def test_a_text_stays_a_text_in_a_workbook() -> None:
    with xlsx_file(HEADER, [(*ROWS[0][:4], "=1+1")], sheet="Calls") as file:
        page = openpyxl.load_workbook(file)["Calls"]
    assert page["E2"].value == "=1+1"
    assert page["E2"].data_type == "s" or page["E2"].quotePrefix
    assert page["C2"].value == 1234.5
