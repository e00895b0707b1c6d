"""Features through the API: given once for a key, changed and ended by whoever may."""

from typing import Any

import pytest

from billing.features.changing import allow_kind
from billing.models import NumberArea, PhoneNumber, Plan, Subscription
from credit.accounts import company_balance
from members.actors import Actor
from members.models import AuditEntry, Member
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Api, ApiClient, refused
from tests.billing.features.conftest import (
    french_number,
    give_number,
    give_plan,
    make_plan,
    minutes,
    paris,
    voicemail,
)
from tests.conftest import credit_company, make_member

pytestmark = pytest.mark.django_db
__all__ = ["french_number", "minutes", "paris", "voicemail"]


@pytest.fixture
def desk(alice: Member, api: Api) -> ApiClient:
    """alice's token; the company has 100."""
    credit_company(alice.company, "100")
    return api(alice)


def wish(*members: Member, plan: str = "france-400", **more: Any) -> dict[str, Any]:
    return {"members": [member.pk for member in members], "plan": plan, "months": 1, **more}


def state_of(pk: int) -> tuple[Any, ...]:
    return Subscription.objects.values_list(
        "member", "renews", "next_plan", "next_months", "status"
    ).get(pk=pk)


def test_features_are_given_once_for_a_key(
    desk: ApiClient, bob: Member, fiona: Member, minutes: Plan
) -> None:
    body = wish(bob, fiona, months=3)
    first, second = (desk.post("subscriptions", body, key="k") for _time in range(2))
    assert first.status_code == 201
    assert first.json() == second.json()
    given = first.json()
    assert (given["count"], given["price"], given["total"], given["balance_after"]) == (
        2,
        "14.0000",
        "28.0000",
        "72.0000",
    )
    assert company_balance(bob.company) == 72
    assert Subscription.objects.count() == 2
    row = desk.get(f"subscriptions/{given['subscriptions'][0]}").json()
    assert (row["member"], row["plan"], row["months"], row["price"], row["renews"]) == (
        bob.pk,
        "france-400",
        3,
        "14.0000",
        True,
    )
    assert (row["next_plan"], row["next_price"]) == ("france-400", "14.0000")
    refused(desk.post("subscriptions", wish(bob), key="k"), 409, "idempotency_conflict")
    refused(desk.post("subscriptions", body), 400, "idempotency_key_required")


def test_everybody_and_lists_are_given_features(
    desk: ApiClient, alice: Member, bob: Member, minutes: Plan
) -> None:
    body = {"all": True, "plan": "france-400", "months": 1}
    assert desk.post("subscriptions", body, key="a").json()["count"] == 2
    body = {"list": 99999, "plan": "france-400", "months": 1}
    refused(desk.post("subscriptions", body, key="b"), 422, "unknown_list")
    body = {"plan": "france-400", "months": 1}
    refused(desk.post("subscriptions", body, key="c"), 422, "one_way")


def test_reserved_numbers_are_given_with_the_rules_accepted(
    desk: ApiClient, alice: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    NumberArea.objects.update(note_en="Live in France.", note_fr="Vivre en France.")
    kept = desk.post("numbers/reserve", {"area": paris.pk}).json()
    body = wish(bob, plan="number-fr", numbers=[kept["numbers"][0]["id"]])
    refused(desk.post("subscriptions", body, key="a"), 422, "residence_not_accepted")
    refused(
        desk.post("subscriptions", wish(bob, plan="number-fr"), key="b"), 422, "numbers_missing"
    )
    body["residence_accepted"] = True
    assert desk.post("subscriptions", body, key="a").status_code == 201
    (row,) = desk.get("subscriptions", kind="number").json()["results"]
    assert row["number"] == kept["numbers"][0]["number"]
    other = PhoneNumber.objects.filter(state="free").latest("pk")
    body["numbers"] = [other.pk]
    refused(desk.post("subscriptions", body, key="c"), 422, "number_not_reserved")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"plan": "nothing"}, "unknown_plan"),
        ({"plan": "old"}, "plan_withdrawn"),
        ({"plan": "dollars"}, "no_price_in_currency"),
        ({"months": 2}, "invalid_choice"),
        ({"months": 12, "plan": "dear"}, "not_enough_credit"),
        ({"members": [10**9]}, "unknown_member"),
        ({"members": []}, "min_length"),
        ({"amount": "5"}, "unknown_field"),
        ({"numbers": [1]}, "number_not_reserved"),
        ({"plan": "voicemail"}, "feature_already_there"),
    ],
)
def test_what_cannot_be_given_changes_nothing(
    change: dict[str, Any],
    code: str,
    desk: ApiClient,
    alice: Member,
    bob: Member,
    minutes: Plan,
    voicemail: Plan,
) -> None:
    make_plan("old", "caller_id", {1: "1"}, valid_until="2021-01-01")
    make_plan("dollars", "caller_id", {1: "1"}, currency="USD")
    make_plan("dear", "caller_id", {12: "99"})
    give_plan(alice, voicemail, bob, now=utc_now())
    refused(desk.post("subscriptions", {**wish(bob), **change}, key="k"), 422, code)
    assert company_balance(alice.company) == 98
    assert Subscription.objects.count() == 1


def test_too_little_credit_says_how_much_is_missing(
    api: Api, alice: Member, bob: Member, minutes: Plan
) -> None:
    credit_company(alice.company, "6")
    body = refused(
        api(alice).post("subscriptions", wish(alice, bob), key="k"), 422, "not_enough_credit"
    )
    assert body["missing"] == "4.0000"
    assert company_balance(alice.company) == 6


def test_a_feature_is_changed_cancelled_and_kept_after_all(
    desk: ApiClient, alice: Member, bob: Member, minutes: Plan
) -> None:
    make_plan("more", "subscription", {12: "90"}, prefixes=["33"], included_seconds=60)
    (pk,) = give_plan(alice, minutes, bob, now=utc_now()).subscription_ids
    path = f"subscriptions/{pk}"
    row = desk.patch(path, {"plan": "more", "months": 12}).json()
    assert (row["plan"], row["next_plan"], row["next_price"]) == ("france-400", "more", "90.0000")
    refused(desk.patch(path, {"plan": "more", "months": 1}), 422, "no_price_in_currency")
    for _time in range(2):
        row = desk.post(f"{path}/cancel").json()
        assert (row["renews"], row["next_plan"], row["charge_on"]) == (False, None, None)
    assert AuditEntry.objects.filter(verb="cancel_feature").count() == 1
    refused(desk.patch(path, {"plan": "more", "months": 12}), 422, "feature_cancelled")
    for _time in range(2):
        assert desk.post(f"{path}/undo").json()["renews"] is True
    assert company_balance(alice.company) == 95


def test_several_are_cancelled_by_one_decision_or_none(
    desk: ApiClient, alice: Member, bob: Member, charlie: Member, minutes: Plan
) -> None:
    credit_company(charlie.company, "10")
    ids = [*give_plan(alice, minutes, alice, bob, now=utc_now()).subscription_ids]
    (foreign,) = give_plan(charlie, minutes, charlie, now=utc_now()).subscription_ids
    body = {"subscriptions": [*ids, foreign]}
    refused(desk.post("subscriptions/cancel", body), 422, "unknown_feature")
    assert Subscription.objects.filter(renews=True).count() == 3
    assert desk.post("subscriptions/cancel", {"subscriptions": ids}).json() == {
        "cancelled": 2,
        "unchanged": 0,
    }
    assert desk.post("subscriptions/cancel", {"subscriptions": ids}).json() == {
        "cancelled": 0,
        "unchanged": 2,
    }
    entry = AuditEntry.objects.get(verb="cancel_features")
    assert entry.data["features_count"] == 2
    assert Subscription.objects.get(pk=foreign).renews


def test_a_number_is_handed_on(
    desk: ApiClient, alice: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    feature = give_number(alice, french_number, paris, bob, now=utc_now())
    dora = make_member(alice.company, "dora")
    path = f"subscriptions/{feature.pk}/reallocate"
    refused(desk.post(path, {"member": 10**9}), 422, "unknown_member")
    NumberArea.objects.update(note_en="Live in France.", note_fr="Vivre en France.")
    refused(desk.post(path, {"member": dora.pk}), 422, "residence_not_accepted")
    actor = Actor.of_member(alice)
    allow_kind(actor=actor, member_id=dora.pk, kind="number", is_allowed=False)
    body = {"member": dora.pk, "residence_accepted": True}
    refused(desk.post(path, body), 422, "feature_not_allowed")
    allow_kind(actor=actor, member_id=dora.pk, kind="number", is_allowed=True)
    assert desk.post(path, body).json()["member"] == dora.pk
    assert company_balance(alice.company) == 96


def test_kinds_are_allowed_and_forbidden(
    desk: ApiClient, alice: Member, bob: Member, minutes: Plan
) -> None:
    path = f"members/{bob.pk}/features"
    give_plan(alice, minutes, bob, now=utc_now())
    shown = desk.get(path).json()
    assert len(shown["allowed_kinds"]) == 5
    assert [row["plan"] for row in shown["subscriptions"]] == ["france-400"]
    answer = desk.put(path, {"allowed_kinds": ["voicemail"]}).json()
    assert answer["allowed_kinds"] == ["voicemail"]
    assert len(answer["subscriptions"]) == 1
    refused(desk.post("subscriptions", wish(bob), key="k"), 422, "feature_not_allowed")
    refused(desk.put(path, {"allowed_kinds": ["radio"]}), 422, "invalid_choice")
    assert desk.put(path, {"allowed_kinds": []}).json()["allowed_kinds"] == []


def test_every_door_is_for_the_company_and_the_role(
    api: Api,
    alice: Member,
    bob: Member,
    fiona: Member,
    charlie: Member,
    french_number: Plan,
    minutes: Plan,
    paris: NumberArea,
) -> None:
    credit_company(alice.company, "50")
    feature = give_number(alice, french_number, paris, bob, now=utc_now())
    path, before = f"subscriptions/{feature.pk}", state_of(feature.pk)
    terms = {"plan": "number-fr", "months": 12}
    doors: list[tuple[str, str, Any]] = [
        ("PATCH", path, terms),
        ("POST", f"{path}/cancel", None),
        ("POST", f"{path}/undo", None),
        ("POST", f"{path}/reallocate", {"member": alice.pk}),
        ("PUT", f"members/{bob.pk}/features", {"allowed_kinds": []}),
    ]
    for member, status in ((bob, 403), (fiona, 403), (charlie, 404)):
        client = api(member)
        for method, door, body in doors:
            assert client.send(method, door, body, key="k").status_code == status, door
    for member in (bob, fiona):
        client = api(member)
        assert client.post("subscriptions", wish(bob), key="k").status_code == 403
        assert (
            client.post("subscriptions/cancel", {"subscriptions": [feature.pk]}).status_code == 403
        )
    refused(api(charlie).post("subscriptions", wish(bob), key="k"), 422, "unknown_member")
    for member, status in ((fiona, 200), (bob, 403), (charlie, 404)):
        client = api(member)
        assert client.get(path).status_code == status
        assert client.get(f"members/{bob.pk}/features").status_code == status
    assert api(charlie).get("subscriptions").json()["results"] == []
    assert api(charlie).get("subscriptions", member=str(bob.pk)).status_code == 404
    assert state_of(feature.pk) == before


@pytest.mark.parametrize(
    "query", [{"kind": "radio"}, {"status": "x"}, {"member": "x"}, {"cursor": "x"}]
)
def test_filters_that_mean_nothing_are_refused(
    api: Api, alice: Member, query: dict[str, str]
) -> None:
    assert api(alice).get("subscriptions", **query).status_code == 400


def test_everybody_reads_the_own_features_and_no_prices(
    api: Api,
    alice: Member,
    bob: Member,
    fiona: Member,
    charlie: Member,
    french_number: Plan,
    minutes: Plan,
    paris: NumberArea,
) -> None:
    credit_company(alice.company, "50")
    give_plan(alice, minutes, bob, now=utc_now())
    number = give_number(alice, french_number, paris, bob, now=utc_now())
    allow_kind(actor=Actor.of_member(alice), member_id=bob.pk, kind="voicemail", is_allowed=False)
    own = api(bob).get("me/features").json()
    listed = api(alice).get(f"members/{bob.pk}/features").json()
    assert own["allowed_kinds"] == listed["allowed_kinds"]
    assert "voicemail" not in own["allowed_kinds"]

    def by_id(answer: Any) -> dict[int, dict[str, Any]]:
        return {row["id"]: row for row in answer["subscriptions"]}

    rows, expected = by_id(own), by_id(listed)
    assert rows.keys() == expected.keys()
    for pk, row in rows.items():
        included = row.pop("included")
        assert row == {
            name: value
            for name, value in expected[pk].items()
            if name not in ("price", "next_price")
        }
        assert (included is None) == (pk == number.pk)
        if included:
            assert (included["seconds_total"], included["seconds_left"]) == (24_000, 24_000)
    for other in (alice, fiona, charlie):
        assert api(other).get("me/features").json()["subscriptions"] == []
    assert api().get("me/features").status_code == 401
    assert api(bob, scopes=["write"]).get("me/features").status_code == 403
    assert api(alice, for_company=True).get("me/features").status_code == 403


def test_an_ended_feature_is_not_among_the_own(
    api: Api, alice: Member, bob: Member, voicemail: Plan
) -> None:
    credit_company(alice.company, "50")
    give_plan(alice, voicemail, bob, now=utc_now())
    assert len(api(bob).get("me/features").json()["subscriptions"]) == 1
    Subscription.objects.update(status="ended", renews=False, charge_on=None, ended_at=utc_now())
    assert api(bob).get("me/features").json()["subscriptions"] == []
