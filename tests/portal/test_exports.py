"""Files of reports: each form says the same, each file is its maker's alone."""

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import IO

import openpyxl
import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from pytest_django import Settings

from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.models import Rate
from members.actors import Actor
from members.lists import create_list
from members.models import AuditEntry, Member, Notice
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from skypemgr.lib.formats import format_money
from skypemgr.portal.exports import asking, work
from skypemgr.portal.exports.archive_tables import TABLES
from skypemgr.portal.exports.asking import (
    KEPT,
    cancel_export,
    find_export,
    forget_export,
    open_file,
    own_exports,
    request_archive,
)
from skypemgr.portal.exports.work import advance_export, resume_exports
from skypemgr.portal.models import Export
from skypemgr.portal.reports.catalogue import REPORTS, read_report
from skypemgr.portal.spans import find_span
from tests.conftest import give, make_member
from tests.portal.conftest import NOW, History
from tests.portal.export_kit import (
    ask,
    content_of,
    read_csv,
    read_pdf,
    read_xlsx,
    read_zip,
    sum_of,
)

State = Export.State
ODD = "=cmd|' /C calc'!A0\tTab\nLine שלום مرحبا 👩🏽‍🚀 🙂 <b>&amp;"


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, tmp_path: object) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def nothing_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is left to a worker."""
    monkeypatch.setattr(asking, "SMALL_ROWS", dict.fromkeys(asking.FORMS, -1))


@pytest.fixture
def calls(history: History) -> None:
    """Calls of two members on two days, one of them free of charge."""
    Rate.objects.create(
        prefix="33",
        country="FR",
        kind="landline",
        price_per_minute=Decimal("0.6"),
        currency="EUR",
        valid_from="2025-01-01",
    )
    rows = [
        CallRow(
            source="pbx",
            id=str(number),
            member=member,
            destination="+33142278186",
            started_at=f"2026-09-0{4 + number % 2}T10:0{number}:00Z",
            duration_seconds=37 * number,
        )
        for number, member in enumerate(["bob", "carol", "bob", "bob"])
    ]
    charge_calls(history.company, rows, now=datetime(2026, 9, 6, tzinfo=UTC))


def advanced(export: Export) -> Export:
    made = advance_export(export.pk, now=NOW)
    assert made is not None
    return made


def stored_files() -> list[str]:
    found: list[str] = []
    folders = ["exports"] if default_storage.exists("exports") else []
    for folder in folders:
        inner, names = default_storage.listdir(folder)
        folders += [f"{folder}/{name}" for name in inner]
        found += [f"{folder}/{name}" for name in names]
    return found


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", list(REPORTS))
def test_every_form_read_again_has_the_same_rows_and_totals(
    history: History, name: str, language: str
) -> None:
    span = find_span(history.company, {"year": "2026"}, now=NOW)
    report = read_report(name, history.company, span)
    amounts = {
        str(column.label): report.totals[column.key]
        for column in report.shown_columns
        if column.form == "money" and column.key in report.totals
    }
    assert amounts
    assert any(amounts.values())
    made = {
        form: content_of(ask(history.alice, name, form=form, language=language))
        for form in ("csv", "xlsx", "pdf", "json")
    }
    rows = read_csv(made["csv"], language)
    sheet = read_xlsx(made["xlsx"])
    body = json.loads(made["json"])
    assert len(rows) - 1 == len(sheet) - 2 == len(body["results"]) == report.count
    words = " ".join(read_pdf(made["pdf"]))
    header = list(sheet[0])
    for place, column in enumerate(report.shown_columns):
        if column.form != "money" or column.key not in report.totals:
            continue
        total = report.totals[column.key]
        label = str(header[place])
        assert sum_of(rows, rows[0][place]) == total
        assert sum_of(sheet[:-1], label) == Decimal(str(sheet[-1][place])) == total
        assert sum(Decimal(row[column.key]) for row in body["results"]) == total
        assert body["totals"][column.key] == f"{total:.4f}"
        shown = format_money(total, "EUR", language).replace("\u202f", " ").replace("\xa0", " ")
        assert shown in words.replace("\xa0", " ")


def test_opening_and_what_moved_make_closing_on_paper_and_for_programs(history: History) -> None:
    (page,) = read_pdf(content_of(ask(history.alice, "allocations", form="pdf", month="2026-09")))
    assert "Opening balance €434.50" in page
    assert "+ In €100.00" in page
    assert "− Out €15.00" in page
    assert "= Balance now €519.50" in page
    assert "Page 1 of 1" in page
    body = json.loads(content_of(ask(history.alice, form="json", month="2026-09")))
    parts = [Decimal(body[name]) for name in ("opening", "incoming", "outgoing", "closing")]
    assert parts[0] + parts[1] - parts[2] == parts[3] == Decimal("519.5")


def test_several_reports_come_in_one_zip_in_the_order_of_the_tabs(history: History) -> None:
    export = ask(history.alice, "usage", "summary", "usage", form="xlsx", month="2026-09")
    assert export.file_name == "acme-2026-09.zip"
    parts = read_zip(content_of(export))
    assert list(parts) == ["summary-2026-09.xlsx", "usage-2026-09.xlsx"]
    assert all(openpyxl.load_workbook(io.BytesIO(part)) for part in parts.values())


def test_cells_of_a_workbook_are_typed_and_its_header_stays(history: History) -> None:
    content = content_of(ask(history.alice, "allocations", form="xlsx", month="2026-09"))
    (page,) = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    assert page.freeze_panes == "A2"
    assert page["A2"].is_date
    assert isinstance(page["F2"].value, str)
    assert page["G2"].value == 10
    assert page["A4"].value == "Total"
    assert page["A4"].font.bold
    assert page["G4"].value == 15


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf", "json"])
def test_whatever_somebody_is_called_the_file_can_be_read_and_runs_nothing(
    history: History, form: str
) -> None:
    odd = make_member(history.company, "odd")
    Member.objects.filter(pk=odd.pk).update(name=ODD)
    give(history.alice, odd, "7.5", now=NOW)
    content = content_of(ask(history.alice, "allocations", form=form, month="2026-09"))
    if form == "csv":
        (row,) = [row for row in read_csv(content) if "cmd" in row[1]]
        assert row[1] == f"'{ODD}"
    elif form == "xlsx":
        cells = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]["B"]
        (cell,) = [cell for cell in cells if "cmd" in str(cell.value)]
        assert cell.data_type == "s"
    elif form == "json":
        assert ODD in [row["member"] for row in json.loads(content)["results"]]
    else:
        (page,) = read_pdf(content)
        assert "=cmd|' /C calc'!A0 Tab Line □□□□ □□□□□ □□ □ <b>&amp;" in page.replace("- ", "")


def test_a_file_is_its_makers_alone(history: History, fiona: Member, charlie: Member) -> None:
    export = ask(fiona, "summary")
    assert find_export(Actor.of_member(fiona), export.pk) == export
    for other in (history.alice, charlie):
        assert not own_exports(Actor.of_member(other), now=NOW)
        with pytest.raises(NotFound):
            find_export(Actor.of_member(other), export.pk)
        with pytest.raises(NotFound):
            forget_export(actor=Actor.of_member(other), export_id=export.pk)
    with pytest.raises(NotAllowed):
        find_export(Actor.of_member(history.bob), export.pk)
    Member.objects.filter(pk=fiona.pk).update(role="member")
    with pytest.raises(NotAllowed):
        find_export(Actor.of_member(Member.objects.get(pk=fiona.pk)), export.pk)
    assert content_of(Export.objects.get())


def test_what_is_refused_leaves_no_row(history: History) -> None:
    refused = {
        ("format", "invalid_format"): {"form": "doc"},
        ("reports", "unknown_report"): {"name": "wages"},
        ("month", "invalid_month"): {"month": "2026-13"},
        ("to", "span_too_long"): {"from": "2026-01-01", "to": "2106-01-01"},
        ("member", "not_found"): {"member": "999999"},
        ("member", "invalid_filter"): {"member": "%s' OR '1'='1"},
    }
    for (field, code), given in refused.items():
        wish = dict(given)
        name, form = wish.pop("name", "summary"), wish.pop("form", "csv")
        with pytest.raises(ProductError) as error:
            ask(history.alice, name, form=form, **wish)
        assert (error.value.field, error.value.code) == (field, code)
    assert not Export.objects.exists()


def test_a_pdf_has_an_end(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_PDF_ROWS", 1)
    with pytest.raises(ProductError) as error:
        ask(history.alice, "allocations", form="pdf")
    assert error.value.code == "too_many_rows"


@pytest.mark.usefixtures("nothing_is_small")
def test_a_large_file_waits_for_a_worker_which_tells_its_maker_once(history: History) -> None:
    export = ask(history.alice, "allocations")
    assert export.state == State.WAITING
    with pytest.raises(NotFound):
        open_file(export)
    for _again in range(2):
        made = advanced(export)
        assert made.state == State.READY
        assert made.attempt == 1
    notice = Notice.objects.get(member=history.alice, kind="export_ready")
    assert notice.data["url"] == f"/reports/exports/{export.pk}/"
    assert stored_files() == [made.stored_as]


@pytest.mark.usefixtures("nothing_is_small")
def test_the_same_wish_while_it_is_written_is_one_file(history: History) -> None:
    first = ask(history.alice, "allocations")
    assert ask(history.alice, "allocations") == first
    assert ask(history.alice, "allocations", form="pdf") != first
    advance_export(first.pk, now=NOW)
    assert ask(history.alice, "allocations") != first


@pytest.mark.usefixtures("nothing_is_small")
def test_nobody_has_more_than_a_few_files_written(history: History, fiona: Member) -> None:
    for day in range(asking.MOST_OPEN):
        ask(history.alice, "usage", **{"from": f"2026-09-0{day + 1}", "to": "2026-09-10"})
    with pytest.raises(asking.TooManyExports):
        ask(history.alice, "summary")
    assert ask(fiona, "summary").state == State.WAITING
    cancel_export(actor=Actor.of_member(history.alice), export_id=Export.objects.earliest("pk").pk)
    assert ask(history.alice, "summary").state == State.WAITING


@pytest.mark.usefixtures("nothing_is_small")
def test_a_cancelled_file_is_not_written_and_not_told(history: History) -> None:
    export = ask(history.alice, "allocations")
    actor = Actor.of_member(history.alice)
    assert cancel_export(actor=actor, export_id=export.pk).state == State.CANCELLED
    assert advanced(export).state == State.CANCELLED
    assert resume_exports(now=NOW + timedelta(hours=1)) == 0
    assert not stored_files()
    assert not Notice.objects.filter(kind="export_ready").exists()


@pytest.mark.usefixtures("nothing_is_small")
def test_one_cancelled_while_it_is_written_leaves_no_file(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = ask(history.alice, "allocations")
    save = default_storage.save

    def cancelled_meanwhile(name: str, content: IO[bytes]) -> str:
        cancel_export(actor=Actor.of_member(history.alice), export_id=export.pk)
        return str(save(name, content))

    monkeypatch.setattr(default_storage, "save", cancelled_meanwhile)
    assert advanced(export).state == State.CANCELLED
    assert not stored_files()


@pytest.mark.usefixtures("nothing_is_small")
def test_a_worker_stops_at_the_next_rows_when_the_file_is_cancelled(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "NOTED_EVERY_SECONDS", -1)
    export = ask(history.alice, "allocations")
    work.note_cancelled(export.pk)
    assert advanced(export).state == State.RUNNING
    assert not stored_files()


@pytest.mark.usefixtures("nothing_is_small")
def test_a_file_whose_worker_was_killed_is_written_by_another(history: History) -> None:
    export = ask(history.alice, "allocations")
    # As a worker leaves it that is killed after the file was stored and before that was noted.
    Export.objects.update(state=State.RUNNING, attempt=1, touched_at=NOW)
    default_storage.save(f"exports/{export.company_id}/{export.pk}-1", io.BytesIO(b"half"))
    assert advanced(export).state == State.RUNNING
    assert resume_exports(now=NOW + timedelta(minutes=1)) == 0
    assert resume_exports(now=NOW + timedelta(minutes=5)) == 1
    export.refresh_from_db()
    assert (export.state, export.attempt) == (State.READY, 2)
    assert stored_files() == [export.stored_as]


@pytest.mark.usefixtures("nothing_is_small")
def test_a_file_that_is_still_being_written_is_left_alone(history: History) -> None:
    export = ask(history.alice, "allocations")
    Export.objects.update(state=State.RUNNING, attempt=1, touched_at=NOW)
    cache.set(f"export:{export.pk}:1", 4, 60)
    assert resume_exports(now=NOW + timedelta(hours=1)) == 0
    export.refresh_from_db()
    assert work.read_progress(export) == 4


@pytest.mark.usefixtures("nothing_is_small")
def test_a_file_that_kills_every_worker_fails_at_last(history: History) -> None:
    export = ask(history.alice, "allocations")
    Export.objects.update(state=State.RUNNING, attempt=work.TRIES, touched_at=NOW)
    default_storage.save(f"exports/{export.company_id}/{export.pk}-3", io.BytesIO(b"half"))
    resume_exports(now=NOW + timedelta(minutes=5))
    export.refresh_from_db()
    assert (export.state, export.failure) == (State.FAILED, "worker_lost")
    assert not stored_files()


@pytest.mark.usefixtures("nothing_is_small")
def test_a_lost_message_is_made_up_for(history: History) -> None:
    export = ask(history.alice, "allocations")
    assert resume_exports(now=NOW + timedelta(minutes=5)) == 1
    export.refresh_from_db()
    assert export.state == State.READY


@pytest.mark.usefixtures("nothing_is_small")
def test_a_file_that_takes_long_leaves_the_others_to_the_next_sweep(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SWEEP_SECONDS", 0)
    for name in ("allocations", "summary"):
        ask(history.alice, name)
    for ready_count in (1, 2):
        assert resume_exports(now=NOW + timedelta(minutes=5)) == 1
        assert Export.objects.filter(state=State.READY).count() == ready_count


@pytest.mark.usefixtures("nothing_is_small")
def test_who_lost_the_role_meanwhile_gets_no_file(history: History, fiona: Member) -> None:
    export = ask(fiona, "allocations")
    Member.objects.filter(pk=fiona.pk).update(role="member")
    failed = advanced(export)
    assert (failed.state, failed.failure) == (State.FAILED, "not_allowed")
    assert not stored_files()


@pytest.mark.usefixtures("nothing_is_small")
def test_one_deleted_while_it_is_written_leaves_no_file_and_no_error(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = ask(history.alice, "allocations")
    save = default_storage.save

    def deleted_meanwhile(name: str, content: IO[bytes]) -> str:
        forget_export(actor=Actor.of_member(history.alice), export_id=export.pk)
        return str(save(name, content))

    monkeypatch.setattr(default_storage, "save", deleted_meanwhile)
    assert advance_export(export.pk, now=NOW) is None
    assert not stored_files()
    assert advance_export(export.pk, now=NOW) is None


def test_one_deleted_twice_at_once_is_not_found(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = ask(history.alice, "summary")
    find = asking.find_export

    def found_just_before(actor: Actor, export_id: int) -> Export:
        found = find(actor, export_id)
        work.delete_exports([Export.objects.get(pk=export_id)])
        return found

    monkeypatch.setattr(asking, "find_export", found_just_before)
    with pytest.raises(NotFound):
        forget_export(actor=Actor.of_member(history.alice), export_id=export.pk)


def test_after_thirty_days_file_and_row_are_gone(history: History) -> None:
    export = ask(history.alice, "summary")
    actor = Actor.of_member(history.alice)
    almost = NOW + KEPT - timedelta(minutes=1)
    resume_exports(now=almost)
    assert find_export(actor, export.pk, now=almost) == export
    with pytest.raises(NotFound):
        find_export(actor, export.pk, now=NOW + KEPT)
    assert stored_files()
    resume_exports(now=NOW + KEPT)
    assert not stored_files()
    assert not Export.objects.exists()


def test_a_forgotten_file_is_gone_at_once(history: History) -> None:
    export = ask(history.alice, "summary")
    forget_export(actor=Actor.of_member(history.alice), export_id=export.pk)
    assert not stored_files()
    assert not Export.objects.exists()


def test_a_file_that_the_storage_lost_is_said_to_be_missing(history: History) -> None:
    export = ask(history.alice, "summary")
    default_storage.delete(export.stored_as)
    with pytest.raises(NotFound):
        open_file(export)


def test_a_removed_member_is_named_in_an_old_month(history: History) -> None:
    Member.objects.filter(pk=history.bob.pk).update(status="removed", ended_at=NOW)
    rows = read_csv(content_of(ask(history.alice, "allocations", month="2026-08")))
    assert "Bob" in [row[1] for row in rows]


# --- everything of a company ---


def archive_of(member: Member) -> dict[str, bytes]:
    export = request_archive(actor=Actor.of_member(member), language="en", now=NOW)
    assert export.state == State.WAITING
    made = advanced(export)
    assert (made.state, made.failure) == (State.READY, "")
    return read_zip(content_of(made))


def test_the_archive_holds_everything_and_nothing_of_others(
    history: History, charlie: Member
) -> None:
    give_list = create_list(actor=Actor.of_member(history.alice), name="Sales")
    parts = archive_of(history.alice)
    assert {f"{name}.csv" for name in TABLES} <= set(parts)
    assert {
        f"reports/2026-{month}/{name}.csv" for month in ("08", "09") for name in REPORTS
    } <= set(parts)
    members = read_csv(parts["members.csv"])
    assert [row[7 - 1] for row in members[1:]] == ["active"] * 3
    assert sum_of(members, "balance") == Decimal("72.35")
    assert [row[1] for row in read_csv(parts["lists.csv"])[1:]] == [give_list.name]
    company = read_csv(parts["statement-company.csv"])
    assert sum_of(company, "amount") == Decimal("519.5")
    assert company[-1][company[0].index("balance_after")] == "519.5000"
    people = read_csv(parts["statements-members.csv"])
    assert sum_of(people, "amount") == Decimal("72.35")
    bob = [row for row in people[1:] if row[1] == "Bob"]
    assert [row[4] for row in bob] == ["allocation", "call", "allocation", "call"]
    assert bob[-1][people[0].index("calls")] == "4"
    assert not any(b"Other" in part or b"charlie" in part for part in parts.values())
    verbs = [row[3] for row in read_csv(parts["audit-log.csv"])[1:]]
    assert "allocate" in verbs
    assert "export_company" in verbs


def test_reports_of_the_archive_add_up_to_the_statement(history: History) -> None:
    parts = archive_of(history.alice)
    given = sum(
        sum_of(read_csv(part), "Amount")
        for name, part in parts.items()
        if name.endswith("/allocations.csv")
    )
    assert given == Decimal("80.5")


def test_only_administrators_take_everything(history: History, fiona: Member) -> None:
    for member in (history.bob, fiona):
        with pytest.raises(NotAllowed):
            request_archive(actor=Actor.of_member(member), language="en", now=NOW)
    export = request_archive(actor=Actor.of_member(history.alice), language="en", now=NOW)
    assert request_archive(actor=Actor.of_member(history.alice), language="en", now=NOW) == export
    assert AuditEntry.objects.filter(verb="export_company").count() == 1
    Member.objects.filter(pk=history.alice.pk).update(role="finance")
    demoted = Actor.of_member(Member.objects.get(pk=history.alice.pk))
    with pytest.raises(NotFound):
        find_export(demoted, export.pk, now=NOW)
    assert not own_exports(demoted, now=NOW).exists()
    refused = advanced(export)
    assert (refused.state, refused.failure) == (State.FAILED, "not_allowed")


def test_the_archive_does_not_say_how_somebody_who_went_signs_in_now(history: History) -> None:
    Member.objects.filter(pk=history.bob.pk).update(status="left", ended_at=NOW)
    members = read_csv(archive_of(history.alice)["members.csv"])
    of = {row[1]: dict(zip(members[0], row, strict=True)) for row in members[1:]}
    assert (of["Bob"]["email"], of["Bob"]["username"]) == ("", "")
    assert of["Bob"]["status"] == "left"
    assert of["Carol"]["email"] == "carol@example.com"
