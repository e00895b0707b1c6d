"""Saved methods and auto-recharge through the API: in order, removed, brought back to, resumed."""

import pytest

from billing.consent import VERSION
from billing.models import AutoPurchaseConsent, PaymentMethod
from members.models import Member
from tests.api.conftest import Api, refused
from tests.billing.conftest import ASKING_LATER, STOLEN, buy, rule_of, run, set_rule

pytestmark = pytest.mark.django_db


def two(alice: Member) -> tuple[int, int]:
    buy(alice, "10")
    buy(alice, "10", number=ASKING_LATER)
    first, second = PaymentMethod.objects.order_by("pk")
    return first.pk, second.pk


def test_methods_are_put_in_order(api: Api, alice: Member, fiona: Member, charlie: Member) -> None:
    first, second = two(alice)
    client = api(alice)
    moved = client.patch(f"payment-methods/{second}", {"is_default": True})
    assert moved.status_code == 200, moved.content
    body = moved.json()
    assert (body["id"], body["is_default"], body["position"]) == (second, True, 1)
    assert (body["kind"], body["expires_on"]) == ("card", None)
    rows = api(fiona).get("payment-methods").json()["results"]
    assert [(row["id"], row["position"], row["is_default"]) for row in rows] == [
        (second, 1, True),
        (first, 2, False),
    ]
    client.patch(f"payment-methods/{second}", {"position": 2})
    client.patch(f"payment-methods/{second}", {"position": 9999})
    rows = client.get("payment-methods").json()["results"]
    assert [row["id"] for row in rows] == [first, second]
    refused(api(fiona).patch(f"payment-methods/{second}", {"position": 1}), 403, "not_allowed")
    refused(api(charlie).patch(f"payment-methods/{second}", {"position": 1}), 404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"position": 0},
        {"position": "x"},
        {"is_default": False},
        {"is_default": True, "position": 1},
        {"label": "mine"},
    ],
)
def test_a_place_that_makes_no_sense_is_refused(
    api: Api, alice: Member, body: dict[str, object]
) -> None:
    first, _second = two(alice)
    assert api(alice).patch(f"payment-methods/{first}", body).status_code == 422


def test_another_method_takes_over_when_its_text_was_read(api: Api, alice: Member) -> None:
    first, second = two(alice)
    set_rule(alice)
    client = api(alice)
    refused(client.delete(f"payment-methods/{first}"), 409, "payment_method_in_use")
    path = f"payment-methods/{first}?successor={second}"
    asked = refused(client.delete(path), 422, "consent_missing")
    assert "3155" in asked["consent_text"]
    assert client.delete(f"{path}&consent_version={asked['consent_version']}").status_code == 204
    assert (rule_of(alice).state, rule_of(alice).method_id) == ("on", second)
    assert AutoPurchaseConsent.objects.latest("pk").method_id == second


def test_auto_recharge_pauses_when_told_to(api: Api, alice: Member) -> None:
    first, _second = two(alice)
    set_rule(alice)
    client = api(alice)
    assert client.delete(f"payment-methods/{first}?pause=true").status_code == 204
    answer = client.get("auto-purchase").json()
    assert (answer["state"], answer["paused_because"]) == ("paused", "method_removed")
    refused(client.post("auto-purchase/resume"), 409, "payment_method_removed")


@pytest.mark.parametrize("query", ["successor=x", "successor=0", "pause=perhaps"])
def test_a_removal_that_makes_no_sense_is_refused(api: Api, alice: Member, query: str) -> None:
    first, _second = two(alice)
    set_rule(alice)
    assert api(alice).delete(f"payment-methods/{first}?{query}").status_code == 422
    assert rule_of(alice).state == "on"


def test_another_companys_method_cannot_take_over(api: Api, alice: Member, charlie: Member) -> None:
    first, _second = two(alice)
    set_rule(alice)
    buy(charlie, "10")
    theirs = PaymentMethod.objects.get(company=charlie.company).pk
    for version in ("", VERSION):
        path = f"payment-methods/{first}?successor={theirs}&consent_version={version}"
        refused(api(alice).delete(path), 422, "unknown_payment_method")
    assert rule_of(alice).method_id == first


def test_the_balance_to_bring_back_to_is_agreed_to_and_shown(api: Api, alice: Member) -> None:
    first, _second = two(alice)
    client = api(alice)
    wish = {"level": "20", "target": "80", "monthly_limit": "500", "payment_method": str(first)}
    asked = refused(client.put("auto-purchase", wish), 422, "consent_missing")
    assert "€80.00" in asked["consent_text"]
    saved = client.put("auto-purchase", {**wish, "consent_version": asked["consent_version"]})
    assert saved.status_code == 200, saved.content
    body = saved.json()
    assert (body["state"], body["target"], body["amount"]) == ("on", "80.0000", None)
    for change, code in (
        ({"amount": "50"}, "amount_or_target"),
        ({"target": None}, "amount_or_target"),
        ({"target": "19"}, "target_below_level"),
        ({"target": "501"}, "limit_below_amount"),
        ({"target": "1.001"}, "invalid_amount"),
    ):
        refused(client.put("auto-purchase", {**wish, **change}), 422, code)
    assert rule_of(alice).target == 80


def test_a_pause_is_ended(api: Api, alice: Member, fiona: Member, charlie: Member) -> None:
    set_rule(alice, STOLEN)
    run(alice)
    assert api(alice).get("auto-purchase").json()["paused_because"] == "declined"
    refused(api(fiona).post("auto-purchase/resume"), 403, "not_allowed")
    assert api(charlie).post("auto-purchase/resume").json()["state"] == "off"
    assert rule_of(alice).state == "paused"
    assert api(alice).post("auto-purchase/resume").json()["state"] == "on"
