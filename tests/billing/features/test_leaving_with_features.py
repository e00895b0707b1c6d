"""Removing, leaving and closing say what becomes of features before, and of numbers where to hand
them on.
"""

import pytest

from billing.models import NumberArea, Plan, Subscription
from members.actors import Actor
from members.models import Member
from members.tokens import issue_token
from skypemgr.lib.formats import format_date
from skypemgr.lib.periods import utc_now
from tests.api.conftest import ApiClient
from tests.billing.features.conftest import give_number, give_plan
from tests.conftest import ClientOf, credit_company
from tests.credit_pages.conftest import words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(
    alice: Member, bob: Member, french_number: Plan, minutes: Plan, paris: NumberArea
) -> Subscription:
    """bob has 400 minutes and this number."""
    credit_company(alice.company, "50")
    give_plan(alice, minutes, bob, now=utc_now())
    return give_number(alice, french_number, paris, bob, now=utc_now())


@pytest.mark.parametrize("path", ["/members/{}/remove/", "/members/remove/?member={}"])
def test_removing_tells_until_when_and_offers_to_hand_numbers_on(
    path: str, alice: Member, bob: Member, number: Subscription, client_of: ClientOf
) -> None:
    answer = client_of(alice).get(path.format(bob.pk))
    until = format_date(number.paid_until)
    assert f"2 features stay usable as paid, the last until {until}" in words_of(answer)
    assert "The number +33 1 80 00 00 00 is lost to the company then." in words_of(answer)
    assert f'href="/features/{number.pk}/reallocate/"' in answer.content.decode()
    assert Subscription.objects.filter(renews=True).count() == 2


def test_leaving_tells_the_same_without_what_only_administrators_do(
    bob: Member, number: Subscription, client_of: ClientOf
) -> None:
    client = client_of(bob)
    answer = client.get("/me/leave/")
    assert "2 features stay usable as paid" in words_of(answer)
    assert "The number +33 1 80 00 00 00 ends too" in words_of(answer)
    assert "/reallocate/" not in answer.content.decode()
    client.post("/me/leave/")
    assert not Subscription.objects.filter(renews=True).exists()
    assert set(Subscription.objects.values_list("status", flat=True)) == {"active"}


def test_closing_counts_the_features_that_run_out(
    alice: Member, number: Subscription, client_of: ClientOf
) -> None:
    shown = words_of(client_of(alice).get("/settings/close/"))
    assert "2 features stay usable as paid and are not renewed." in shown


def test_the_number_of_somebody_who_left_can_still_be_handed_on(
    alice: Member, bob: Member, number: Subscription, client_of: ClientOf
) -> None:
    client = client_of(alice)
    client.post(f"/members/{bob.pk}/remove/")
    answer = client.post(f"/features/{number.pk}/reallocate/", {"member": alice.pk}, follow=True)
    assert "The number is Alice's now." in words_of(answer)


def test_the_api_says_so_too(alice: Member, bob: Member, number: Subscription) -> None:
    client = api_of(alice)
    told = client.get(f"members/{bob.pk}/removal").json()
    assert (told["features_ended"], told["features_until"]) == (2, number.paid_until.isoformat())
    assert told["numbers"] == [{"number": "+33180000000", "subscription": number.pk}]
    assert client.get("company/close").json()["features_ended"] == 2
    answer = client.post("members/remove", {"members": [bob.pk]}).json()
    assert answer["features_ended"] == 2


def api_of(member: Member) -> ApiClient:
    """A client with a token of the member."""
    _token, secret = issue_token(
        actor=Actor.of_member(member), name="test", scopes=["read", "write"]
    )
    return ApiClient(secret)
