"""The operator's desk for bank transfers, and its command."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from billing.models import BankStatement, BankStatementLine, BankTransfer, Purchase
from members.models import Member, User
from skypemgr.lib.periods import utc_now
from tests.billing.transfer_kit import (
    assert_credited_once,
    assert_not_credited,
    bring,
    buy_by_transfer,
    make_operator,
    only_line,
    pay,
    row,
    statement,
)
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db
DESK = "/admin/billing"
UPLOAD = f"{DESK}/bankstatement/add/"
LINES = f"{DESK}/bankstatementline/"
TRANSFERS = f"{DESK}/banktransfer/"


@pytest.fixture(autouse=True)
def _transfers(settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox", "transfer"]


@pytest.fixture
def operator(client: Client) -> Client:
    user = make_operator()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def purchase(alice: Member) -> Purchase:
    return buy_by_transfer(alice)


def upload(*rows: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("bank.csv", statement(rows).getvalue())


def test_a_statement_is_uploaded_and_what_became_of_it_is_shown(
    operator: Client, purchase: Purchase
) -> None:
    assert operator.get(UPLOAD).status_code == 200
    page = operator.post(UPLOAD, {"file": upload(pay(purchase), row("9", "SHOP"), "x;y;z;EUR")})
    assert page.status_code == 200
    assert b"Credited" in page.content
    assert b"Rows that could not be read" in page.content
    assert_credited_once(purchase)
    stored = BankStatement.objects.get()
    assert stored.imported_by is not None
    assert (stored.name, stored.refused_count) == ("bank.csv", 1)
    for address in (f"{DESK}/bankstatement/", LINES, TRANSFERS, f"{LINES}?state__exact=waiting"):
        assert operator.get(address).status_code == 200
    assert operator.get(f"{DESK}/bankstatement/{stored.pk}/change/").status_code == 302
    for line in BankStatementLine.objects.all():
        assert operator.get(f"{LINES}{line.pk}/change/").status_code == 200


def test_what_is_no_statement_is_refused_on_the_page(operator: Client) -> None:
    for content in (b"", b"PK\x03\x04 nothing", b"MZ\0\0", b"a;b\n1;2\n"):
        page = operator.post(UPLOAD, {"file": SimpleUploadedFile("bank.csv", content)})
        assert page.status_code == 422
    assert not BankStatement.objects.exists()


def test_a_line_is_decided_on_its_page(operator: Client, purchase: Purchase) -> None:
    bring(row("119", "VIR"))
    address = f"{LINES}{only_line().pk}/change/"
    assert f"{purchase.pk} · Acme · €120.00" in operator.get(address).content.decode()
    assert operator.post(address, {"decision": "settle", "reason": "fee"}).status_code == 422
    assert operator.post(address, {"decision": "set_aside"}).status_code == 422
    wrong = {"decision": "settle", "purchase": 10**12, "reason": "fee"}
    assert operator.post(address, wrong).status_code == 422
    assert_not_credited(purchase)
    right = {"decision": "settle", "purchase": purchase.pk, "reason": "fee"}
    assert operator.post(address, right).status_code == 302
    assert_credited_once(purchase)
    assert b"fee" in operator.get(address).content
    assert operator.post(address, right).status_code == 200
    assert_credited_once(purchase)


@pytest.mark.parametrize(("decision", "state"), [("send_back", "returned"), ("set_aside",) * 2])
def test_a_line_is_sent_back_or_set_aside(
    operator: Client, purchase: Purchase, decision: str, state: str
) -> None:
    bring(pay(purchase, "1"))
    address = f"{LINES}{only_line().pk}/change/"
    assert operator.post(address, {"decision": decision, "reason": "why"}).status_code == 302
    assert only_line().state == state
    assert LogEntry.objects.get().change_message == f"{decision}: why"
    assert_not_credited(purchase)


def test_ticked_lines_are_settled_as_suggested_or_set_aside_with_a_word(
    operator: Client, purchase: Purchase
) -> None:
    bring(row("120", "VIR"), row("3", "SHOP"), row("4", "SHOP"))
    ids = list(BankStatementLine.objects.values_list("pk", flat=True))
    wish = {"action": "put_aside", "_selected_action": ids, "word": ""}
    operator.post(LINES, wish)
    assert BankStatementLine.objects.filter(state="waiting").count() == 3
    operator.post(LINES, {**wish, "action": "settle_suggested", "word": "clear"})
    assert_credited_once(purchase)
    operator.post(LINES, {**wish, "word": "our shop"})
    assert BankStatementLine.objects.filter(state="set_aside").count() == 2


def test_a_transfer_is_settled_by_hand(operator: Client, purchase: Purchase) -> None:
    assert b"Acme" in operator.get(TRANSFERS).content
    address = f"{TRANSFERS}{BankTransfer.objects.get().pk}/change/"
    assert operator.get(address).status_code == 200
    today = utc_now().date().isoformat()
    assert operator.post(address, {"received_on": today, "reason": ""}).status_code == 422
    assert operator.post(address, {"received_on": "2000-01-01", "reason": "x"}).status_code == 422
    assert_not_credited(purchase)
    assert operator.post(address, {"received_on": today, "reason": "seen"}).status_code == 302
    assert_credited_once(purchase)
    assert operator.get(address).status_code == 200


def test_the_desk_is_closed_to_everybody_else(
    alice: Member, bob: Member, purchase: Purchase, client_of: ClientOf
) -> None:
    bring(row("120", "VIR"))
    staff = make_operator("staff")
    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    browser = Client()
    staff.refresh_from_db()
    browser.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    line, transfer = only_line(), BankTransfer.objects.get()
    for visitor in (client_of(alice), client_of(bob), browser, Client()):
        for address, body in (
            (UPLOAD, {"file": upload(pay(purchase))}),
            (LINES, {"action": "put_aside", "_selected_action": [line.pk], "word": "x"}),
            (
                f"{LINES}{line.pk}/change/",
                {"decision": "settle", "purchase": purchase.pk, "reason": "x"},
            ),
            (f"{TRANSFERS}{transfer.pk}/change/", {"received_on": "2026-11-22", "reason": "x"}),
        ):
            assert visitor.get(address).status_code in (302, 403)
            assert visitor.post(address, body).status_code in (302, 403)
    assert_not_credited(purchase)
    assert only_line().state == "waiting"


def test_an_unknown_line_or_transfer_is_404(operator: Client) -> None:
    assert operator.get(f"{LINES}0/change/").status_code == 404
    assert operator.get(f"{TRANSFERS}nonsense/change/").status_code == 404


def write(folder: Path, *rows: str) -> str:
    file = folder / "bank.csv"
    file.write_bytes(statement(rows).getvalue())
    return str(file)


def test_the_command_imports_and_says_so(purchase: Purchase, tmp_path: Path) -> None:
    out = StringIO()
    call_command("import_bank_statement", write(tmp_path, pay(purchase)), stdout=out)
    assert "1 new, 0 already there, 0 out; 1 credited, 0 waiting, 0 refused" in out.getvalue()
    assert_credited_once(purchase)


def test_the_command_ends_with_what_was_refused(purchase: Purchase, tmp_path: Path) -> None:
    error = StringIO()
    file = write(tmp_path, pay(purchase), "x;5;y;EUR")
    with pytest.raises(SystemExit) as ended:
        call_command("import_bank_statement", file, stdout=StringIO(), stderr=error)
    assert ended.value.code == 1
    assert "line 3, date: " in error.getvalue()
    file = write(tmp_path, "x;5;y;EUR")
    with pytest.raises(SystemExit) as ended:
        call_command("import_bank_statement", file, stdout=StringIO(), stderr=error)
    assert ended.value.code == 2
    for wrong in (write(tmp_path), str(tmp_path / "none.csv")):
        with pytest.raises(CommandError) as refused:
            call_command("import_bank_statement", wrong)
        assert refused.value.returncode == 2
