"""The pages of one feature, of several, and of what a member may have: said before, done once."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.features.changing import cancel_feature, cancel_features
from billing.models import FeatureBan, NumberArea, Plan, Subscription
from credit.accounts import company_balance
from credit.models import Transfer
from members.actors import Actor
from members.models import AuditEntry, Member
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.periods import utc_now
from tests.billing.features.conftest import give_number, give_plan, make_plan
from tests.conftest import ClientOf, credit_company, make_member
from tests.credit_pages.conftest import words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(alice: Member, client_of: ClientOf) -> Client:
    """alice's browser; the company has 100."""
    credit_company(alice.company, "100")
    return client_of(alice)


def given(alice: Member, plan: Plan, *members: Member) -> list[Subscription]:
    """The plan's features, given just now."""
    pks = give_plan(alice, plan, *members, now=utc_now()).subscription_ids
    return list(Subscription.objects.filter(pk__in=pks).order_by("pk"))


def stored(feature: Subscription) -> dict[str, Any]:
    """The row as it stands."""
    return dict(Subscription.objects.filter(pk=feature.pk).values()[0])


def test_a_feature_tells_what_was_paid_and_links_to_the_statement(
    desk: Client, alice: Member, bob: Member, minutes: Plan
) -> None:
    (feature,) = given(alice, minutes, bob)
    answer = desk.get(f"/features/{feature.pk}/")
    shown = words_of(answer)
    for words in ("france-400", "Bob", "Renews by itself", "1 month, €5.00", "€5.00 every month"):
        assert words in shown
    version = Transfer.objects.get(kind="feature").source_version
    link = f"/statement/?cursor=n{version}"
    assert link in answer.content.decode()
    assert "€5.00" in words_of(desk.get(link))


def test_a_change_holds_from_the_renewal_and_charges_nothing(
    desk: Client, alice: Member, bob: Member, minutes: Plan
) -> None:
    make_plan("more", "subscription", {1: "9", 12: "90"}, prefixes=["33"], included_seconds=60)
    (feature,) = given(alice, minutes, bob)
    path = f"/features/{feature.pk}/change/?plan=more"
    shown = words_of(desk.get(path))
    assert "nothing is charged or paid back" in shown
    assert "12 months €90.00 (€7.50 per month)" in shown
    answer = desk.post(path, {"months": 12}, follow=True)
    assert "more, €90.00 every year" in words_of(answer)
    row = stored(feature)
    assert (row["months"], row["next_months"], row["renews"]) == (1, 12, True)
    assert company_balance(alice.company) == 95
    desk.post(f"/features/{feature.pk}/change/?plan=france-400", {"months": 1})
    assert stored(feature)["next_plan_id"] is None
    assert desk.post(path, {"months": 3}).status_code == 422
    assert desk.post(path, {}).status_code == 422


def test_cancelling_says_until_when_and_can_be_undone(
    desk: Client, alice: Member, bob: Member, minutes: Plan
) -> None:
    (feature,) = given(alice, minutes, bob)
    path = f"/features/{feature.pk}"
    shown = words_of(desk.get(f"{path}/cancel/"))
    assert "Bob can use it until" in shown
    assert "Nothing more is charged (€5.00 every month until now)" in shown
    assert stored(feature)["renews"]
    for _time in range(2):
        assert desk.post(f"{path}/cancel/")["Location"] == f"{path}/"
    assert AuditEntry.objects.filter(verb="cancel_feature").count() == 1
    assert "none: it is cancelled" in words_of(desk.get(f"{path}/"))
    assert "Nothing is charged before" in words_of(desk.get(f"{path}/undo/"))
    for _time in range(2):
        assert desk.post(f"{path}/undo/")["Location"] == f"{path}/"
    assert stored(feature)["renews"]
    assert company_balance(alice.company) == 95


def test_a_cancel_of_a_withdrawn_plan_cannot_be_undone_and_says_why(
    desk: Client, alice: Member, bob: Member, minutes: Plan
) -> None:
    (feature,) = given(alice, minutes, bob)
    cancel_feature(actor=Actor.of_member(alice), subscription_id=feature.pk)
    Plan.objects.update(valid_until=utc_now().date())
    path = f"/features/{feature.pk}/undo/"
    assert "is not offered any more" in words_of(desk.get(path))
    answer = desk.post(path)
    assert answer.status_code == 422
    assert "is not offered any more" in words_of(answer)
    assert not stored(feature)["renews"]


def test_a_number_is_handed_on_after_a_search(
    desk: Client, alice: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    NumberArea.objects.update(note_en="Live in France.", note_fr="Vivre en France.")
    feature = give_number_of(alice, bob, french_number, paris)
    dora = make_member(alice.company, "dora")
    path = f"/features/{feature.pk}/reallocate/"
    shown = words_of(desk.get(f"{path}?q=dor"))
    assert "Dora dora@example.com" in shown
    assert "Live in France." in shown
    assert "Alice alice@example.com" not in shown
    assert "No other member fits" in words_of(desk.get(f"{path}?q=nobody"))
    answer = desk.post(f"{path}?q=dor", {"member": dora.pk})
    assert answer.status_code == 422
    assert "Accept the rules of residence first." in words_of(answer)
    assert stored(feature)["member_id"] == bob.pk
    wish = {"member": dora.pk, "accepted": "on"}
    answer = desk.post(f"{path}?q=dor", wish, follow=True)
    assert "The number is Dora's now." in words_of(answer)
    assert stored(feature)["member_id"] == dora.pk
    assert company_balance(alice.company) == 96


def give_number_of(alice: Member, bob: Member, plan: Plan, area: NumberArea) -> Subscription:
    """A number with rules of residence is the member's."""
    notes = NumberArea.objects.values("note_en", "note_fr").get(pk=area.pk)
    NumberArea.objects.update(note_en="", note_fr="")
    feature = give_number(alice, plan, area, bob, now=utc_now())
    NumberArea.objects.filter(pk=area.pk).update(**notes)
    return feature


def test_several_are_cancelled_after_numbers(
    desk: Client, alice: Member, bob: Member, fiona: Member, minutes: Plan, voicemail: Plan
) -> None:
    first, second = given(alice, minutes, alice, bob)
    (third,) = given(alice, voicemail, fiona)
    cancel_feature(actor=Actor.of_member(alice), subscription_id=third.pk)
    path = "/features/cancel/?" + "&".join(f"feature={each.pk}" for each in (first, second, third))
    shown = words_of(desk.get(path))
    assert "2 features stay usable" in shown
    assert "€10.00 less at the next renewals" in shown
    assert "1 feature ends already" in shown
    assert stored(first)["renews"]
    assert desk.post(path, {"shown_count": "1"}).status_code == 422
    assert stored(first)["renews"]
    assert desk.post(path, {"shown_count": "2"})["Location"] == "/features/"
    assert not stored(first)["renews"]
    assert not stored(second)["renews"]
    assert AuditEntry.objects.get(verb="cancel_features").data["features_count"] == 2
    assert desk.post(path, {"shown_count": "2"}).status_code == 200
    assert AuditEntry.objects.filter(verb="cancel_features").count() == 1


def test_those_of_ticked_members_are_cancelled_by_kind(
    desk: Client, alice: Member, bob: Member, minutes: Plan, voicemail: Plan
) -> None:
    mine, hers = given(alice, minutes, alice, bob)
    (box,) = given(alice, voicemail, bob)
    path = f"/features/cancel/?member={bob.pk}&kind=subscription"
    assert "1 feature stays usable" in words_of(desk.get(path))
    assert desk.post(path, {"shown_count": "1"})["Location"] == "/features/subscription/"
    assert [stored(each)["renews"] for each in (mine, hers, box)] == [True, False, True]
    assert desk.get("/features/cancel/?kind=subscription")["Location"] == "/features/"
    every = "/features/cancel/?every=1&kind=subscription"
    assert desk.post(every, {"shown_count": "1"}).status_code == 302
    assert [stored(each)["renews"] for each in (mine, hers, box)] == [False, False, True]


def test_kinds_are_chosen_for_a_member(
    desk: Client, alice: Member, bob: Member, voicemail: Plan
) -> None:
    given(alice, voicemail, bob)
    path = f"/members/{bob.pk}/features/allowed/"
    shown = desk.get(path).content.decode()
    assert shown.count("checked") == 5
    answer = desk.post(path, {"kinds": ["number", "caller_id"]})
    assert answer["Location"] == f"/members/{bob.pk}/features/"
    assert set(FeatureBan.objects.values_list("kind", flat=True)) == {
        "subscription",
        "voicemail",
        "call_forwarding",
    }
    assert Subscription.objects.get().renews
    assert desk.post(path, {"kinds": ["radio"]}).status_code == 422
    assert FeatureBan.objects.count() == 3


def test_every_page_is_for_the_company_and_the_role(
    alice: Member,
    bob: Member,
    fiona: Member,
    charlie: Member,
    french_number: Plan,
    paris: NumberArea,
    client_of: ClientOf,
) -> None:
    credit_company(alice.company, "50")
    feature = give_number(alice, french_number, paris, bob, now=utc_now())
    before = stored(feature)
    one = f"/features/{feature.pk}/"
    doors = [
        *(one + word for word in ("change/?plan=number-fr", "cancel/", "undo/", "reallocate/")),
        f"/features/cancel/?feature={feature.pk}",
        f"/members/{bob.pk}/features/allowed/",
    ]
    body = {"months": 12, "member": alice.pk, "kinds": [], "shown_count": 1}
    for member, status in ((bob, 403), (fiona, 403), (charlie, 404)):
        client = client_of(member)
        for door in doors:
            assert client.get(door).status_code == status, door
            assert client.post(door, body).status_code == status, door
    for member, status in ((alice, 200), (fiona, 200), (bob, 403), (charlie, 404)):
        assert client_of(member).get(one).status_code == status
    assert "Cancel feature" not in words_of(client_of(fiona).get(one))
    assert stored(feature) == before
    assert not FeatureBan.objects.exists()


def test_several_are_cancelled_in_a_fixed_number_of_statements(
    desk: Client, alice: Member, bob: Member, fiona: Member, charlie: Member, minutes: Plan
) -> None:
    actor = Actor.of_member(alice)
    few, many = given(alice, minutes, bob), given(alice, minutes, alice, bob, fiona)
    pks = [each.pk for each in many]
    counts = []
    for ids in ([few[0].pk], pks):
        with CaptureQueriesContext(connection) as queries:
            cancel_features(actor=actor, subscription_ids=ids)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    with pytest.raises(NotAllowed):
        cancel_features(actor=Actor.of_member(fiona), subscription_ids=pks)
    with pytest.raises(NotFound):
        cancel_features(actor=Actor.of_member(charlie), subscription_ids=pks)


def test_an_ended_feature_is_only_looked_at(
    desk: Client, alice: Member, bob: Member, minutes: Plan
) -> None:
    (feature,) = given(alice, minutes, bob)
    Subscription.objects.update(
        status="ended", ended_at=timezone.now(), charge_on=None, renews=False
    )
    one = f"/features/{feature.pk}/"
    assert "Ended" in words_of(desk.get(one))
    for word in ("change/", "cancel/", "undo/", "reallocate/"):
        assert desk.get(one + word)["Location"] == one
        assert desk.post(one + word)["Location"] == one
    assert stored(feature)["status"] == "ended"
