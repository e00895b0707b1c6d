"""Purchases, ways to pay and the company's auto-recharge through the API."""

import pytest

from billing.models import AutoPurchaseRule, PaymentMethod, Purchase
from credit.models import Transfer
from members.models import Member
from tests.api.conftest import Api, ApiClient, refused
from tests.conftest import credit_company

WISH = {"amount": "100.00", "payment_method": "sandbox"}
RULE = {"level": "50.00", "amount": "100", "monthly_limit": "500", "payment_method": "sandbox"}


def credited() -> int:
    return Transfer.objects.filter(kind="purchase").count()


def agreed(client: ApiClient, rule: dict[str, str]) -> dict[str, str]:
    """The rule with the version of the text that was answered."""
    asked = refused(client.put("auto-purchase", rule), 422, "consent_missing")
    assert "€100" in asked["consent_text"] or "100" in asked["consent_text"]
    return {**rule, "consent_version": asked["consent_version"]}


def test_credit_is_bought_and_shown(
    api: Api, alice: Member, fiona: Member, charlie: Member
) -> None:
    client = api(alice)
    response = client.post("purchases", WISH, key="k")
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["status"], body["amount"], body["total"]) == ("succeeded", "100.00", "120.00")
    assert client.get("company").json()["balance"] == "100.0000"
    for member in (alice, fiona):
        assert api(member).get(f"purchases/{body['id']}").json() == body
        assert [row["id"] for row in api(member).get("purchases").json()["results"]] == [body["id"]]
        methods = api(member).get("payment-methods").json()["results"]
        assert [row["is_default"] for row in methods] == [True]
    refused(api(charlie).get(f"purchases/{body['id']}"), 404, "not_found")
    assert api(charlie).get("purchases").json()["results"] == []
    again = client.post("purchases", {**WISH, "payment_method": methods[0]["id"]}, key="k2")
    assert again.json()["status"] == "succeeded"
    assert [row["id"] for row in client.get("purchases").json()["results"]][1] == body["id"]


def test_a_repeated_key_buys_once_and_gets_the_first_answer(api: Api, alice: Member) -> None:
    client = api(alice)
    first = client.post("purchases", WISH, key="k")
    again = client.post("purchases/", WISH, key="k")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert credited() == 1
    other = client.post("purchases", {**WISH, "amount": "50"}, key="k")
    refused(other, 409, "idempotency_conflict")
    assert credited() == 1


def test_a_key_names_one_wish_whatever_the_door(api: Api, alice: Member) -> None:
    credit_company(alice.company, "10")
    client = api(alice)
    allocation = {"member": alice.pk, "amount": "1"}
    assert client.post("allocations", allocation, key="a").status_code == 201
    refused(client.post("purchases", WISH, key="a"), 409, "idempotency_conflict")
    assert not Purchase.objects.exists()
    assert client.post("purchases", WISH, key="b").status_code == 201
    refused(client.post("allocations", allocation, key="b"), 409, "idempotency_conflict")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": "0"}, "invalid_amount"),
        ({"amount": "-5"}, "invalid_amount"),
        ({"amount": "1e21"}, "invalid_amount"),
        ({"amount": "10.001"}, "invalid_amount"),
        ({"amount": "0.50"}, "amount_too_small"),
        ({"amount": "9" * 14}, "amount_too_large"),
        ({"payment_method": "bitcoin"}, "payment_method_unavailable"),
        ({"payment_method": "999"}, "unknown_payment_method"),
        ({"payment_method": "9" * 40}, "unknown_payment_method"),
        ({"payment_method": None}, "null"),
        ({"payment_method": []}, "invalid"),
        ({"payment_method": "a\x00"}, "null_characters_not_allowed"),
        ({"card": "4242424242424242"}, "unknown_field"),
    ],
)
def test_a_purchase_that_cannot_be_buys_nothing(
    api: Api, alice: Member, change: dict[str, object], code: str
) -> None:
    client = api(alice)
    refused(client.post("purchases", {**WISH, **change}, key="k"), 422, code)
    assert not Purchase.objects.exists()
    assert client.post("purchases", WISH, key="k").status_code == 201


def test_another_companys_card_is_unknown(api: Api, alice: Member, charlie: Member) -> None:
    api(charlie).post("purchases", WISH, key="k")
    method = PaymentMethod.objects.get()
    response = api(alice).post("purchases", {**WISH, "payment_method": str(method.pk)}, key="k")
    refused(response, 422, "unknown_payment_method")
    assert not Purchase.objects.filter(company=alice.company).exists()


def test_without_a_key_nothing_is_bought(api: Api, alice: Member) -> None:
    refused(api(alice).post("purchases", WISH), 400, "idempotency_key_required")
    assert not Purchase.objects.exists()


def test_a_frozen_company_buys_nothing(api: Api, alice: Member) -> None:
    alice.company.state = "frozen"
    alice.company.save(update_fields=["state"])
    refused(api(alice).post("purchases", WISH, key="k"), 422, "company_frozen")
    assert not Purchase.objects.exists()


def test_auto_purchase_is_off_until_somebody_agreed(api: Api, alice: Member) -> None:
    client = api(alice)
    assert client.get("auto-purchase").json()["state"] == "off"
    wish = agreed(client, RULE)
    assert not AutoPurchaseRule.objects.exists()
    saved = client.put("auto-purchase", wish)
    assert saved.status_code == 200, saved.content
    assert (
        saved.json().items()
        >= {
            "state": "on",
            "level": "50.0000",
            "amount": "100.0000",
            "monthly_limit": "500.0000",
            "bought_this_month": "0.0000",
            "consent_by": alice.pk,
        }.items()
    )
    assert client.delete("auto-purchase").status_code == 204
    assert client.get("auto-purchase").json()["state"] == "off"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"level": "0"}, "level", "invalid_amount"),
        ({"amount": "1.001"}, "amount", "invalid_amount"),
        ({"monthly_limit": "99"}, "monthly_limit", "limit_below_amount"),
        ({"consent_version": "1999-01"}, "consent_version", "consent_missing"),
    ],
)
def test_an_auto_purchase_that_makes_no_sense_is_not_saved(
    api: Api, alice: Member, change: dict[str, object], field: str, code: str
) -> None:
    problem = refused(api(alice).put("auto-purchase", {**RULE, **change}), 422, code)
    assert [entry["field"] for entry in problem["errors"]] == [field]
    assert not AutoPurchaseRule.objects.exists()


def test_a_card_is_removed_unless_auto_recharge_pays_with_it(
    api: Api, alice: Member, charlie: Member
) -> None:
    client = api(alice)
    client.post("purchases", WISH, key="k")
    path = f"payment-methods/{PaymentMethod.objects.get().pk}"
    client.put("auto-purchase", agreed(client, RULE))
    refused(client.delete(path), 409, "payment_method_in_use")
    client.delete("auto-purchase")
    refused(api(charlie).delete(path), 404, "not_found")
    assert client.delete(path).status_code == 204
    assert client.get("payment-methods").json()["results"] == []
    refused(client.delete(path), 404, "not_found")
