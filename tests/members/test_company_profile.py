"""The company's profile: who changes it, and what is refused."""

from typing import Any

import pytest

from credit.accounts import ensure_accounts
from members.actors import Actor
from members.company_profile import update_company
from members.errors import InvalidField
from members.models import AuditEntry, Company, Member
from skypemgr.lib.errors import NotAllowed
from tests.api.conftest import Api, refused
from tests.api.conftest import api as api  # noqa: PLC0414
from tests.conftest import ClientOf

PAGE = "/settings/company/"
PROFILE: dict[str, Any] = {
    "name": "Acme SA",
    "address_line_1": "1 rue de la Paix",
    "address_line_2": "",
    "postcode": "75002",
    "city": "Paris",
    "country": "FR",
    "phone": "+33 1 42 27 89 00",
    "website": "https://acme.example/",
    "siren": "552 008 443",
    "vat_number": "FR 40 303 265 045",
    "language": "fr",
    "time_zone": "Europe/Paris",
    "currency": "CHF",
    "max_call_seconds": "7200",
    "terms_url": "https://acme.example/terms",
    "privacy_url": "",
}


def now_of(member: Member) -> Company:
    return Company.objects.get(pk=member.company_id)


def test_an_administrator_changes_the_profile_and_the_audit_says_what(
    client_of: ClientOf, alice: Member
) -> None:
    client = client_of(alice)
    assert client.get(PAGE).status_code == 200
    answer = client.post(PAGE, PROFILE)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    company = now_of(alice)
    assert (company.name, company.siren, company.vat_number) == (
        "Acme SA",
        "552008443",
        "FR40303265045",
    )
    assert (company.currency, company.max_call_seconds, company.city) == ("CHF", 7200, "Paris")
    entry = AuditEntry.objects.get(verb="update_company")
    assert entry.data["siren"] == "552008443"
    assert "country" not in entry.data
    client.post(PAGE, PROFILE)
    assert AuditEntry.objects.filter(verb="update_company").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("siren", "552008444"),
        ("siren", "12"),
        ("vat_number", "FR41303265045"),
        ("vat_number", "DE136695976"),
        ("website", "javascript:alert(1)"),
        ("terms_url", "ftp://acme.example/"),
        ("website", "acme"),
        ("country", "XX"),
        ("language", "de"),
        ("currency", "XXX"),
        ("time_zone", "Mars/Olympus"),
        ("max_call_seconds", "59"),
        ("max_call_seconds", "86401"),
        ("city", "x" * 101),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_else_is_changed(
    client_of: ClientOf, alice: Member, field: str, value: str
) -> None:
    wish = {**PROFILE, field: value}
    assert client_of(alice).post(PAGE, wish).status_code == 422
    with pytest.raises(InvalidField) as refusal:
        update_company(actor=Actor.of_member(alice), **wish)
    assert refusal.value.field == field
    assert now_of(alice).name == "Acme"
    assert not AuditEntry.objects.filter(verb="update_company").exists()


def test_a_vat_number_is_read_as_the_companys_country_has_it(alice: Member) -> None:
    actor = Actor.of_member(alice)
    changed = update_company(actor=actor, country="DE", vat_number="136 695 976")
    assert changed.vat_number == "DE136695976"


def test_the_currency_is_fixed_once_a_purse_exists(client_of: ClientOf, alice: Member) -> None:
    ensure_accounts(alice.company)
    with pytest.raises(InvalidField) as refusal:
        update_company(actor=Actor.of_member(alice), currency="CHF")
    assert refusal.value.field == "currency"
    client = client_of(alice)
    assert "It is fixed" in client.get(PAGE).content.decode()
    assert client.post(PAGE, PROFILE).status_code == 302
    assert (now_of(alice).currency, now_of(alice).name) == ("EUR", "Acme SA")


def test_another_zone_counts_from_the_next_month_and_the_page_says_so(
    client_of: ClientOf, alice: Member
) -> None:
    client = client_of(alice)
    client.post(PAGE, {**PROFILE, "time_zone": "Pacific/Auckland", "language": "en"})
    company = now_of(alice)
    assert company.present_zone == "Europe/Paris"
    assert company.coming_zone is not None
    assert company.coming_zone[0] == "Pacific/Auckland"
    page = client.get(PAGE).content.decode()
    assert "the time zone is Pacific/Auckland; until then it is Europe/Paris" in page
    client.post(PAGE, {**PROFILE, "time_zone": "Pacific/Auckland"})
    assert AuditEntry.objects.filter(verb="change_time_zone").count() == 1


def test_nobody_but_an_administrator_changes_it(
    client_of: ClientOf, bob: Member, fiona: Member
) -> None:
    for member in (bob, fiona):
        client = client_of(member)
        assert client.get(PAGE).status_code == 403
        assert client.post(PAGE, PROFILE).status_code == 403
        assert PAGE not in client.get("/settings/").content.decode()
        with pytest.raises(NotAllowed):
            update_company(actor=Actor.of_member(member), name="Mine")
    assert now_of(bob).name == "Acme"


def test_one_company_changes_only_itself(
    client_of: ClientOf, alice: Member, charlie: Member
) -> None:
    client_of(charlie).post(PAGE, PROFILE)
    assert (now_of(charlie).name, now_of(alice).name) == ("Acme SA", "Acme")


def test_programs_of_administrators_change_it(api: Api, alice: Member, bob: Member) -> None:
    client = api(alice)
    answer = client.patch("company", {"city": "Lyon", "siren": "552008443"})
    assert answer.status_code == 200, answer.content
    assert answer.json().items() >= {"city": "Lyon", "siren": "552008443", "name": "Acme"}.items()
    refused(client.patch("company", {"siren": "1", "city": "Nice"}), 422, "invalid")
    refused(client.patch("company", {"balance": "5"}), 422, "unknown_field")
    refused(api(bob).patch("company", {"city": "Nice"}), 403, "not_allowed")
    assert now_of(alice).city == "Lyon"
