"""``billing-profile``: the company as a payer, and what limits say through the API."""

import pytest
from pytest_django import Settings

from billing.models import BillingProfile, Purchase, PurchaseLimit
from billing.switches import stop_purchases
from members.models import Member
from tests.api.conftest import Api, refused

pytestmark = pytest.mark.django_db
WISH = {"amount": "60.00", "payment_method": "sandbox"}


def test_an_empty_profile_says_what_holds(alice: Member, api: Api, settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox"]
    body = api(alice).get("billing-profile").json()
    assert body == {
        "company_limit": None,
        "used_this_month": "0.0000",
        "left_this_month": None,
        "is_verified": False,
        "purchases_on": True,
        "auto_purchases_on": True,
        "missing_details": ["address_line_1", "postcode", "city", "siren"],
        "vat_rate": "20.000",
        "vat_reason": "domestic",
        "vat_number": "",
        "vat_number_state": None,
        "ways": [
            {
                "gateway": "sandbox",
                "way": "card",
                "single_most": "100000.0000",
                "monthly_most": None,
                "used": "0.0000",
                "left": None,
            }
        ],
    }
    assert not BillingProfile.objects.exists()


def test_the_own_limit_is_set_counted_and_removed(alice: Member, api: Api) -> None:
    client = api(alice)
    assert client.put("billing-profile", {"company_limit": "100.00"}).status_code == 200
    assert client.post("purchases", WISH, key="k1").status_code == 201
    body = client.get("billing-profile").json()
    assert (body["company_limit"], body["used_this_month"], body["left_this_month"]) == (
        "100.0000",
        "60.0000",
        "40.0000",
    )
    answer = client.post("purchases", WISH, key="k2")
    refused(answer, 422, "company_limit_reached")
    assert client.post("purchases", WISH, key="k1").json()["status"] == "succeeded"
    assert Purchase.objects.count() == 1
    assert client.put("billing-profile", {"company_limit": None}).json()["company_limit"] is None
    assert client.post("purchases", WISH, key="k2").status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"company_limit": "0"}, "invalid_amount"),
        ({"company_limit": "-1"}, "invalid_amount"),
        ({"company_limit": "1.001"}, "invalid_amount"),
        ({"company_limit": "1e5"}, "invalid_amount"),
        ({"company_limit": "99999999999999999"}, "invalid_amount"),
        ({"company_limit": [5]}, "invalid_amount"),
        ({"company_limit": "5", "is_verified": True}, "unknown_field"),
    ],
)
def test_a_bad_limit_is_refused_and_changes_nothing(
    alice: Member, api: Api, body: object, code: str
) -> None:
    refused(api(alice).put("billing-profile", body), 422, code)
    assert not BillingProfile.objects.filter(company_limit__isnull=False).exists()


def test_finance_reads_and_sets_nothing(fiona: Member, api: Api) -> None:
    assert api(fiona).get("billing-profile").status_code == 200
    refused(api(fiona).put("billing-profile", {"company_limit": "5"}), 403, "not_allowed")


def test_members_see_nothing_of_it(bob: Member, api: Api) -> None:
    refused(api(bob).get("billing-profile"), 403, "not_allowed")


def test_another_company_has_a_profile_of_its_own(alice: Member, charlie: Member, api: Api) -> None:
    api(alice).put("billing-profile", {"company_limit": "5"})
    assert api(charlie).get("billing-profile").json()["company_limit"] is None
    assert api(charlie).post("purchases", WISH, key="k1").status_code == 201


def test_the_amounts_each_way_takes_are_told(alice: Member, api: Api, settings: Settings) -> None:
    settings.GATEWAYS = ["stripe"]
    PurchaseLimit.objects.create(
        way="card", currency="EUR", is_verified=False, single_most=40, monthly_most=70
    )
    ways = {row["way"]: row for row in api(alice).get("billing-profile").json()["ways"]}
    assert ways["card"] == {
        "gateway": "stripe",
        "way": "card",
        "single_most": "40.0000",
        "monthly_most": "70.0000",
        "used": "0.0000",
        "left": "70.0000",
    }
    assert ways["sepa_debit"]["monthly_most"] == "1000.0000"


def test_what_an_invoice_lacks_is_named_before_anything_is_stored(
    alice: Member, api: Api, settings: Settings
) -> None:
    settings.GATEWAYS = ["stripe"]
    answer = api(alice).post("purchases", {**WISH, "payment_method": "stripe:card"}, key="k1")
    refused(answer, 422, "billing_details_missing")
    assert answer.json()["fields"] == ["address_line_1", "postcode", "city", "siren"]
    assert not Purchase.objects.exists()


def test_stopped_purchases_are_refused_with_their_code(alice: Member, api: Api) -> None:
    stop_purchases(company=alice.company)
    refused(api(alice).post("purchases", WISH, key="k1"), 422, "purchases_stopped")
    body = api(alice).get("billing-profile").json()
    assert (body["purchases_on"], body["auto_purchases_on"]) == (False, False)
