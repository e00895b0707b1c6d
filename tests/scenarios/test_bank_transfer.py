"""Credit bought by bank transfer: instructions, the bank's statement twice, credited once."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Api, ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _transfers(settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox", "transfer"]


def import_rows(folder: Path, *rows: str) -> str:
    """What the command says of a statement with these rows, as a French bank writes them."""
    file = folder / "releve.csv"
    text = "\n".join(("Date opération;Libellé;Montant", *rows))
    file.write_bytes(text.encode("cp1252"))
    out = StringIO()
    call_command("import_bank_statement", str(file), stdout=out)
    return out.getvalue()


def balance(door: ApiClient) -> str:
    return str(door.get("company").json()["balance"])


def test_a_transfer_is_announced_arrives_and_is_credited_once(
    api: Api, alice: Member, bob: Member, tmp_path: Path
) -> None:
    door = api(alice)
    wish = {"amount": "1000.00", "payment_method": "transfer"}
    answer = door.post("purchases", wish, key="first")
    assert answer.json()["code"] == "billing_details_missing"
    address = {
        "address_line_1": "1 rue de la Paix",
        "postcode": "75002",
        "city": "Paris",
        "siren": "732829320",
    }
    assert door.patch("company", address).status_code == 200
    bought = door.post("purchases", wish, key="first").json()
    assert (bought["status"], bought["total"]) == ("pending", "1200.00")
    assert door.post("purchases", wish, key="first").json()["id"] == bought["id"]
    told = bought["instructions"]
    assert balance(door) == "0.0000"

    spaced = " ".join((told["reference"][:4], told["reference"][4:]))
    today = f"{utc_now():%d/%m/%Y}"
    rent = f"{today};LOYER;-900,00"
    paid = f"{today};VIR SEPA ACME {spaced};1 200,00"
    assert "0 credited" in import_rows(tmp_path, rent)
    assert balance(door) == "0.0000"
    assert "1 credited" in import_rows(tmp_path, rent, paid)
    assert "1 already there" in import_rows(tmp_path, paid, f"{today};CARTE;-3,20")
    assert balance(door) == "1000.0000"

    settled = door.get(f"purchases/{bought['id']}").json()
    assert (settled["status"], settled["instructions"]) == ("succeeded", None)
    gift = {"member": bob.pk, "amount": "250"}
    assert door.post("allocations", gift, key="gift").status_code == 201
    assert balance(door) == "750.0000"
    call_command("verify_ledger")
