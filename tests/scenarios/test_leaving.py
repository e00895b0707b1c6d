"""An employee changes the company, and the old company is closed: through the doors only."""

from decimal import Decimal

import pytest
from django.core.management import call_command
from django.test import Client

from credit.models import Rate
from members.models import Invitation, Member
from tests.api.conftest import Api, ApiClient, refused
from tests.conftest import PASSWORD, ClientOf, credit_company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _prices() -> None:
    Rate.objects.create(
        prefix="33",
        kind="other",
        price_per_minute=Decimal("0.6"),
        currency="EUR",
        valid_from="2025-01-01",
    )


def a_minute(door: ApiClient, name: str) -> str:
    """What a call of bob's cost, as a phone system reports it by his user name."""
    row = {
        "source": "pbx",
        "id": name,
        "member": "bob",
        "destination": "+33142278186",
        "started_at": "2026-01-05T10:00:00Z",
        "duration_seconds": 60,
    }
    return str(door.post("calls", {"calls": [row]}).json()["results"][0]["collected"])


def page(client: Client, path: str) -> str:
    """The part of the page that is its own."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode().split("<main")[1]


def test_bob_leaves_acme_joins_other_and_acme_closes(
    api: Api, alice: Member, bob: Member, charlie: Member, client_of: ClientOf
) -> None:
    for administrator in (alice, charlie):
        credit_company(administrator.company, "30")
    acme, phones = api(alice), api(alice, for_company=True)
    gift = {"member": bob.pk, "amount": "30"}
    assert acme.post("allocations", gift, key="gift").status_code == 201
    rule = {"amount": "5", "threshold": "2", "monthly_limit": "20"}
    assert acme.put(f"members/{bob.pk}/auto-recharge", rule).status_code == 200

    browser, own = client_of(bob), api(bob)
    assert "€30.00" in page(browser, "/me/leave/")
    assert browser.post("/me/leave/")["Location"] == "/me/"
    assert "€30.00" in page(browser, "/me/")
    refused(own.get("me"), 401, "invalid_token")
    assert a_minute(phones, "after leaving") == "0.6000"
    refused(acme.post("allocations", gift, key="more"), 422, "member_gone")

    other = api(charlie)
    other.post("invitations", {"addresses": ["bob@example.com"]})
    waiting = Invitation.objects.get(company=charlie.company)
    assert str(charlie.company) in page(browser, "/company/new/")
    browser.post(f"/invitations/waiting/{waiting.pk}/", {"action": "accept"})
    new = Member.objects.get(company=charlie.company, user=bob.user)
    other.post("allocations", {"member": new.pk, "amount": "7"}, key="welcome")
    assert "€7.00" in page(browser, "/me/")
    assert "€29.40" in page(browser, f"/me/?place={bob.pk}")
    assert a_minute(api(charlie, for_company=True), "new") == "0.6000"
    assert a_minute(phones, "old again") == "0.6000"
    assert "€28.80" in page(browser, f"/me/?place={bob.pk}")
    assert "€6.40" in page(browser, "/me/")

    desk = client_of(alice)
    assert "€28.80" in page(desk, "/settings/close/")
    assert desk.post("/settings/close/", {"password": PASSWORD}).status_code == 302
    refused(acme.post("allocations", {"all": True, "amount": "1"}, key="x"), 422, "company_closed")
    assert a_minute(phones, "closed") == "0.6000"
    assert acme.get(f"members/{bob.pk}").json()["balance"] == "28.2000"
    assert desk.get("/reports/usage/export/?format=csv").status_code == 200
    assert desk.post("/me/leave/")["Location"] == "/me/"
    call_command("verify_ledger")
