"""The doors of files: pages and API."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from members.actors import Actor
from members.lists import create_list
from members.models import Member
from skypemgr.portal import downloads
from skypemgr.portal.exports import asking
from skypemgr.portal.exports.work import advance_export, resume_exports
from skypemgr.portal.models import Export
from tests.api.conftest import ApiClient
from tests.conftest import ClientOf, make_company
from tests.portal.conftest import NOW, History
from tests.portal.export_kit import ask, content_of, read_csv, read_pdf, read_zip

PAGES = ("/reports/download/", "/reports/exports/")
Api = Callable[..., ApiClient]


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, tmp_path: object) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def nothing_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SMALL_ROWS", dict.fromkeys(asking.FORMS, -1))


def wish(**fields: Any) -> dict[str, Any]:
    return {"reports": ["summary", "usage"], "days": "month=2026-09", "format": "csv", **fields}


def page_of(export: Export) -> str:
    return f"/reports/exports/{export.pk}/"


def body_of(answer: Any) -> bytes:
    return b"".join(answer)


def test_ticked_reports_are_generated_and_downloaded(
    history: History, fiona: Member, client_of: ClientOf
) -> None:
    browser = client_of(fiona)
    assert browser.get("/reports/download/?reports=usage&month=2026-08").status_code == 200
    answer = browser.post("/reports/download/", wish())
    export = Export.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{page_of(export)}?new=1")
    words = browser.get(answer["Location"]).content.decode()
    assert f'content="0; url={page_of(export)}file/"' in words
    file = browser.get(f"{page_of(export)}file/")
    assert file["Content-Type"] == "application/zip"
    assert 'filename="acme-2026-09.zip"' in file["Content-Disposition"]
    assert list(read_zip(body_of(file))) == ["summary-2026-09.csv", "usage-2026-09.csv"]
    assert "acme-2026-09.zip" in browser.get("/reports/exports/").content.decode()


def test_a_french_reader_gets_a_french_file(history: History, client_of: ClientOf) -> None:
    browser = client_of(history.alice, language="fr")
    browser.post("/reports/download/", wish(reports=["allocations"]))
    file = browser.get(f"{page_of(Export.objects.get())}file/")
    rows = read_csv(body_of(file), "fr")
    assert rows[1][0] == "03/09/2026"
    assert "10,0000" in rows[1]


def test_a_cut_goes_with_the_report_that_had_it_alone(
    history: History, client_of: ClientOf
) -> None:
    browser = client_of(history.alice)
    cut = {"by": "day", "sort": "calls"}
    address = f"/reports/download/?reports=usage&{urlencode(cut)}"
    assert 'name="by" value="day"' in browser.get(address).content.decode()
    browser.post(address, wish(reports=["usage"], **cut))
    assert Export.objects.latest("pk").filters == cut
    assert browser.post(address, wish(reports=["summary"], **cut)).status_code == 302
    assert Export.objects.latest("pk").filters == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"reports": []},
        {"reports": ["wages"]},
        {"format": "doc"},
        {"format": ""},
        {"days": "month=2026-13"},
        {"days": "days", "first": "", "last": ""},
        {"days": "days", "first": "2026-09-10", "last": "2026-09-01"},
        {"days": "days", "first": "2030-01-01", "last": "2030-01-02"},
        {"days": "days", "first": "1946-01-01", "last": "2026-01-02"},
        {"list": "' OR 1=1 --"},
        {"list": "100%"},
        {"member": "999999"},
    ],
)
def test_a_wrong_wish_is_said_and_what_was_ticked_stays(
    history: History, client_of: ClientOf, fields: dict[str, Any]
) -> None:
    answer = client_of(history.alice).post("/reports/download/", wish(**fields))
    assert answer.status_code == 422
    words = answer.content.decode()
    assert "error-summary" in words or "form-errors" in words or 'role="alert"' in words
    if "reports" not in fields:
        assert words.count("checked") >= 2
    assert not Export.objects.exists()


def test_a_list_cuts_the_reports_that_can_be_cut(history: History, client_of: ClientOf) -> None:
    sales = create_list(actor=Actor.of_member(history.alice), name="Sales")
    browser = client_of(history.alice)
    assert (
        "Only the list Sales" in browser.get(f"/reports/download/?list={sales.pk}").content.decode()
    )
    fields = wish(reports=["allocations"], list=str(sales.pk), days="year=2026")
    assert browser.post("/reports/download/", fields).status_code == 302
    assert Export.objects.get().filters == {"list": str(sales.pk)}
    assert Export.objects.get().total_count == 0


@pytest.mark.usefixtures("nothing_is_small")
def test_the_progress_page_can_be_left_and_found_again(
    history: History, client_of: ClientOf
) -> None:
    browser = client_of(history.alice)
    browser.post("/reports/download/", wish())
    export = Export.objects.get()
    assert "Waiting for its turn" in browser.get(page_of(export)).content.decode()
    polled = browser.get(page_of(export), headers={"HX-Request": "true"})
    assert "0 of" in polled.content.decode()
    assert "<html" not in polled.content.decode()
    assert browser.get(f"{page_of(export)}file/").status_code == 404
    assert page_of(export) in browser.get("/reports/exports/").content.decode()
    advance_export(export.pk)
    assert browser.get(page_of(export), headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "Download" in browser.get(page_of(export)).content.decode()


@pytest.mark.usefixtures("nothing_is_small")
def test_a_file_can_be_cancelled_and_deleted(history: History, client_of: ClientOf) -> None:
    browser = client_of(history.alice)
    export = ask(history.alice, "summary")
    browser.post(page_of(export), {"action": "cancel"})
    assert "No file was generated" in browser.get(page_of(export)).content.decode()
    assert browser.post(page_of(export), {"action": "delete"})["Location"] == "/reports/exports/"
    assert browser.get(page_of(export)).status_code == 404


@pytest.mark.usefixtures("nothing_is_small")
def test_too_many_files_at_once_are_refused_in_a_sentence(
    history: History, client_of: ClientOf
) -> None:
    for day in range(asking.MOST_OPEN):
        ask(history.alice, "usage", **{"from": f"2026-09-0{day + 1}", "to": "2026-09-10"})
    answer = client_of(history.alice).post("/reports/download/", wish())
    assert answer.status_code == 422
    assert "are being written" in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_members_have_no_files(history: History, client_of: ClientOf, page: str) -> None:
    assert client_of(history.bob).get(page).status_code == 403
    assert client_of(history.bob).post(page, wish()).status_code in (403, 405)
    assert not Export.objects.exists()


@pytest.mark.parametrize("end", ["", "file/"])
def test_nobody_else_finds_a_file(
    history: History, fiona: Member, charlie: Member, client_of: ClientOf, end: str
) -> None:
    address = page_of(ask(fiona, "summary")) + end
    assert client_of(fiona).get(address).status_code == 200
    assert client_of(history.alice).get(address).status_code == 404
    assert client_of(charlie).get(address).status_code == 404
    assert client_of(history.bob).get(address).status_code == 403
    assert client_of(charlie).post(address, {"action": "delete"}).status_code in (404, 405)
    assert Export.objects.count() == 1


def test_a_file_whose_time_is_over_is_not_found(history: History, client_of: ClientOf) -> None:
    export = ask(history.alice, "summary")
    Export.objects.update(expires_at=NOW - timedelta(days=1))
    assert client_of(history.alice).get(page_of(export)).status_code == 404
    resume_exports()
    assert not Export.objects.exists()


def test_a_report_comes_as_pdf_by_a_direct_button(history: History, client_of: ClientOf) -> None:
    browser = client_of(history.alice)
    assert "format=pdf" in browser.get("/reports/allocations/").content.decode()
    answer = browser.get("/reports/allocations/export/?format=pdf&month=2026-09")
    assert answer["Content-Type"] == "application/pdf"
    (page,) = read_pdf(body_of(answer))
    assert "Allocations" in page


def test_a_pdf_says_what_it_is_narrowed_to(history: History, client_of: ClientOf) -> None:
    sales = create_list(actor=Actor.of_member(history.alice), name="Sales")
    of_list = ask(history.alice, "allocations", form="pdf", list=str(sales.pk), month="2026-09")
    (page,) = read_pdf(content_of(of_list))
    assert "September 2026 · List: Sales" in page
    recharges = {"kind": "auto_recharge", "member": str(history.bob.pk), "month": "2026-09"}
    browser = client_of(history.alice)
    answer = browser.get("/reports/allocations/export/", {"format": "pdf", **recharges})
    (page,) = read_pdf(body_of(answer))
    assert f"September 2026 · Auto-recharge · Member: {history.bob.name}" in page
    (page,) = read_pdf(content_of(ask(history.alice, "allocations", form="pdf", month="2026-09")))
    assert "September 2026 ·" not in page


def test_what_is_too_large_at_once_is_left_to_a_worker(
    history: History, client_of: ClientOf, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", {"xlsx": 1, "pdf": 1})
    address = "/reports/allocations/export/?format=xlsx&year=2026"
    answer = client_of(history.alice).get(address, follow=True)
    assert answer.redirect_chain[0][0] == (
        "/reports/download/?year=2026&reports=allocations&format=xlsx"
    )
    assert "too large" in answer.content.decode()
    refused = api(history.alice).get("reports/allocations", format="xlsx", year="2026")
    assert (refused.status_code, refused.json()["code"]) == (422, "too_large_at_once")


# --- everything of the company ---


def test_everything_is_offered_where_one_closes_the_company(
    history: History, client_of: ClientOf
) -> None:
    browser = client_of(history.alice)
    for page in ("/settings/", "/settings/close/"):
        assert 'href="/settings/archive/"' in browser.get(page).content.decode()
    assert browser.get("/settings/archive/").status_code == 200
    answer = browser.post("/settings/archive/")
    export = Export.objects.get()
    assert answer["Location"] == page_of(export)
    assert "tables" in browser.get(page_of(export)).content.decode()
    done = advance_export(export.pk)
    assert done is not None
    assert done.is_ready
    file = browser.get(f"{page_of(export)}file/")
    assert "members.csv" in read_zip(body_of(file))
    assert export.kind == Export.Kind.ARCHIVE


def test_finance_and_members_cannot_take_everything(
    history: History, fiona: Member, client_of: ClientOf, api: Api
) -> None:
    for member in (fiona, history.bob):
        assert client_of(member).get("/settings/archive/").status_code == 403
        assert client_of(member).post("/settings/archive/").status_code == 403
        assert api(member).post("exports", {"kind": "archive"}).status_code == 403
    assert not Export.objects.exists()


# --- API ---


def test_a_program_has_a_file_written_and_takes_it(history: History, api: Api) -> None:
    client = api(history.alice, scopes=["read"])
    answer = client.post("exports", {"reports": ["allocations"], "month": "2026-09"})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["state"], made["done"], made["total"]) == ("ready", 2, 2)
    assert client.get(f"exports/{made['id']}").json() == made
    assert client.get("exports").json()["results"] == [made]
    file = client.get(f"exports/{made['id']}/file")
    assert len(read_csv(body_of(file))) == 3
    assert client.delete(f"exports/{made['id']}").status_code == 204
    assert client.get(f"exports/{made['id']}").status_code == 404


def test_the_list_of_files_has_pages(history: History, api: Api) -> None:
    for day in range(3):
        ask(history.alice, "usage", **{"from": f"2026-09-0{day + 1}", "to": "2026-09-10"})
    client = api(history.alice)
    ids = [row["id"] for row in client.get("exports").json()["results"]]
    assert ids == sorted(ids, reverse=True)
    rest = client.get("exports", cursor=ids[0]).json()
    assert [row["id"] for row in rest["results"]] == ids[1:]
    assert client.get("exports", cursor="x").json()["code"] == "invalid_cursor"


def test_a_programs_files_are_its_members_alone(
    history: History, fiona: Member, charlie: Member, api: Api
) -> None:
    export = ask(fiona, "summary")
    for other, status in ((history.alice, 404), (charlie, 404), (history.bob, 403)):
        assert api(other).get(f"exports/{export.pk}").status_code == status
        assert api(other).get(f"exports/{export.pk}/file").status_code == status
        assert api(other).delete(f"exports/{export.pk}").status_code == status
    company_token = api(history.alice, for_company=True)
    assert company_token.get("exports").status_code == 403
    assert company_token.post("exports", {"reports": ["summary"]}).status_code == 403
    assert Export.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 422, "no_report_chosen", "reports"),
        ({"reports": ["wages"]}, 422, "unknown_report", "reports"),
        ({"reports": ["usage"], "format": "doc"}, 422, "invalid_format", "format"),
        ({"reports": ["usage"], "month": "2026-13"}, 422, "invalid_month", "month"),
        ({"reports": ["usage"], "month": "2031-01"}, 404, "not_found", "month"),
        ({"reports": ["usage"], "from": "x", "to": "2026-01-01"}, 422, "invalid_day", "from"),
        ({"reports": ["usage"], "list": 999999}, 404, "not_found", "list"),
        ({"reports": ["usage"], "by": "'%s"}, 422, "invalid_filter", "by"),
        ({"reports": ["usage"], "colour": "red"}, 422, "unknown_field", "colour"),
        ({"reports": "usage"}, 422, "not_a_list", "reports"),
    ],
)
def test_a_wrong_wish_is_refused_with_its_field(
    history: History, api: Api, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = api(history.alice).post("exports", body)
    told = json.loads(answer.content)
    assert (answer.status_code, told["code"], told["errors"][0]["field"]) == (status, code, field)
    assert not Export.objects.exists()


def test_an_empty_company_has_files_too(db: None, client_of: ClientOf) -> None:
    dora = make_company("Émpty ☎ Co", "dora")
    for form in ("csv", "xlsx", "pdf", "json"):
        browser: Client = client_of(dora)
        answer = browser.post("/reports/download/", wish(reports=["usage"], format=form))
        assert answer.status_code == 302
        export = Export.objects.latest("pk")
        assert export.is_ready
        assert body_of(browser.get(f"{page_of(export)}file/"))
