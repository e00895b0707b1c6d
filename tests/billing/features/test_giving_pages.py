"""The pages that give features: each step stands in its address, only Buy now pays, and once."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from billing.features.changing import allow_kind
from billing.models import NumberArea, PhoneNumber, Plan, PlanPrice, Subscription
from credit.accounts import company_balance
from credit.models import Transfer
from members.actors import Actor
from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.billing.features.conftest import give_plan, make_plan
from tests.conftest import ClientOf, credit_company, make_member
from tests.credit_pages.conftest import words_of

pytestmark = pytest.mark.django_db

HIDDEN = re.compile(
    r'<input type="hidden" name="(shown_count|shown_total|numbers)" value="([^"]*)"'
)


@pytest.fixture
def desk(alice: Member, client_of: ClientOf) -> Client:
    """alice's browser; the company has 100."""
    credit_company(alice.company, "100")
    return client_of(alice)


def page_of(step: str, slug: str, *members: Member, **chosen: object) -> str:
    """A step's address for these members."""
    query = [("member", member.pk) for member in members] + list(chosen.items())
    return f"/features/{slug}/give/{step}?{urlencode(query)}"


def reach_check(
    client: Client, slug: str, *members: Member, months: int = 1, **chosen: object
) -> str:
    """From the period to the check page; its address."""
    answer = client.post(page_of("period/", slug, *members, **chosen), {"months": months})
    assert answer.status_code == 302, words_of(answer)
    return str(answer["Location"])


def confirm(client: Client, url: str) -> dict[str, str]:
    """What the check page would send with Buy now."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.get("Location")
    return dict(HIDDEN.findall(answer.content.decode()))


def test_a_subscription_is_chosen_checked_and_bought(
    desk: Client, alice: Member, bob: Member, fiona: Member, minutes: Plan
) -> None:
    make_plan("other", "subscription", {1: "9"}, prefixes=["44"], included_seconds=60)
    answer = desk.get(page_of("", "subscription", bob, fiona))
    assert "2 members selected" in words_of(answer)
    assert "400 minutes a month: France" in words_of(answer)
    answer = desk.post(page_of("", "subscription", bob, fiona), {"plan": "france-400"})
    period = str(answer["Location"])
    assert "3 months €14.00 (€4.67 per month) each · €28.00 in all" in words_of(desk.get(period))
    url = str(desk.post(period, {"months": 3})["Location"])
    shown = words_of(desk.get(url))
    for words in ("Total €28.00", "before €100.00", "after €72.00", "Bob €14.00", "Fiona €14.00"):
        assert words in shown
    assert company_balance(alice.company) == 100
    answer = desk.post(url, confirm(desk, url), follow=True)
    assert answer.redirect_chain[0][0].startswith("/features/given/")
    assert "is given to 2 members" in words_of(answer)
    assert "€28.00 were taken" in words_of(answer)
    assert company_balance(alice.company) == 72
    assert set(Subscription.objects.values_list("member", "months")) == {
        (bob.pk, 3),
        (fiona.pk, 3),
    }


def test_bought_twice_by_a_repeated_form_is_bought_once(
    desk: Client, alice: Member, bob: Member, minutes: Plan
) -> None:
    url = reach_check(desk, "subscription", bob, plan="france-400")
    wish = confirm(desk, url)
    first, second = desk.post(url, wish), desk.post(url, wish)
    assert first["Location"] == second["Location"] == desk.get(url)["Location"]
    assert company_balance(alice.company) == 95
    assert Subscription.objects.count() == 1


def test_numbers_are_kept_on_the_check_page_and_are_the_ones_given(
    desk: Client, alice: Member, bob: Member, fiona: Member, french_number: Plan, paris: NumberArea
) -> None:
    NumberArea.objects.update(note_en="Live in France.", note_fr="Vivre en France.")
    start = page_of("", "number", bob, fiona)
    shown = words_of(desk.get(start))
    assert "Paris 5 numbers left" in shown
    assert "Live in France." in shown
    refused = desk.post(start, {"area": paris.pk})
    assert refused.status_code == 422
    assert "Accept the rules of residence first." in words_of(refused)
    period = str(desk.post(start, {"area": paris.pk, "accepted": "on"})["Location"])
    assert not PhoneNumber.objects.filter(state="reserved").exists()
    url = str(desk.post(period, {"months": 1})["Location"])
    kept = list(PhoneNumber.objects.filter(state="reserved").order_by("e164"))
    shown = words_of(desk.get(url))
    assert "Bob +33 1 80 00 00 00 €4.00" in shown
    assert "Fiona +33 1 80 00 00 01 €4.00" in shown
    assert "kept for you until" in shown
    assert desk.post(url, confirm(desk, url)).status_code == 302
    given = Subscription.objects.order_by("member").values_list("member", "number")
    assert list(given) == [(bob.pk, kept[0].pk), (fiona.pk, kept[1].pk)]
    assert company_balance(alice.company) == 92


def test_numbers_kept_too_long_are_chosen_again(
    desk: Client, alice: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    url = reach_check(desk, "number", bob, plan="number-fr", area=paris.pk)
    wish = confirm(desk, url)
    PhoneNumber.objects.filter(state="reserved").update(reserved_until=utc_now())
    for answer in (desk.get(url), desk.post(url, wish)):
        assert str(answer["Location"]).startswith("/features/number/give/?")
    assert "not kept for you any more" in words_of(desk.get(url, follow=True))
    assert company_balance(alice.company) == 100
    assert not Subscription.objects.exists()


def test_other_numbers_than_shown_are_not_bought(
    desk: Client, alice: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    url = reach_check(desk, "number", bob, plan="number-fr", area=paris.pk)
    wish = confirm(desk, url)
    kept = PhoneNumber.objects.get(state="reserved")
    other = PhoneNumber.objects.filter(state="free").latest("e164")
    until = utc_now() + timedelta(minutes=5)
    PhoneNumber.objects.filter(pk=kept.pk).update(
        state="free", reserved_for=None, reserved_by=None, reserved_until=None
    )
    PhoneNumber.objects.filter(pk=other.pk).update(
        state="reserved", reserved_for=alice.company, reserved_by=alice, reserved_until=until
    )
    answer = desk.post(url, wish)
    assert answer.status_code == 422
    assert "Other numbers are kept for you now" in words_of(answer)
    assert not Subscription.objects.exists()


def test_the_last_number_goes_to_whoever_is_first(
    desk: Client,
    bob: Member,
    french_number: Plan,
    paris: NumberArea,
    charlie: Member,
    client_of: ClientOf,
) -> None:
    PhoneNumber.objects.exclude(e164="+33180000000").update(state="withdrawn")
    reach_check(desk, "number", bob, plan="number-fr", area=paris.pk)
    other = client_of(charlie)
    start = page_of("period/", "number", charlie, plan="number-fr", area=paris.pk)
    answer = other.post(start, {"months": 1}, follow=True)
    assert "Only 0 numbers are left in Paris." in words_of(answer)
    answer = other.post(page_of("", "number", charlie), {"area": paris.pk})
    assert answer.status_code == 422
    # Who keeps it sees it as left: choosing again gives it back.
    assert "1 number left" in words_of(desk.get(page_of("", "number", bob)))


def test_not_enough_credit_says_how_much_is_missing_and_buys_nothing(
    alice: Member, bob: Member, minutes: Plan, client_of: ClientOf
) -> None:
    credit_company(alice.company, "6")
    desk = client_of(alice)
    url = reach_check(desk, "subscription", alice, bob, plan="france-400")
    shown = desk.get(url)
    assert "€4.00 are missing" in words_of(shown)
    assert 'href="/buy/"' in shown.content.decode()
    assert "Buy now" not in words_of(shown)
    answer = desk.post(url, confirm(desk, url))
    assert answer.status_code == 422
    assert company_balance(alice.company) == 6
    assert not Subscription.objects.exists()


def test_credit_spent_in_the_middle_of_a_choice_buys_nothing(
    desk: Client, alice: Member, bob: Member, fiona: Member, minutes: Plan, voicemail: Plan
) -> None:
    url = reach_check(desk, "subscription", bob, fiona, months=12, plan="france-400")
    wish = confirm(desk, url)
    give_plan(alice, voicemail, bob, now=utc_now())
    answer = desk.post(url, wish)
    assert answer.status_code == 422
    assert "€2.00 are missing" in words_of(answer)
    assert not Subscription.objects.filter(kind="subscription").exists()


def test_a_plan_withdrawn_during_the_choice_leads_back(
    desk: Client, bob: Member, minutes: Plan
) -> None:
    url = reach_check(desk, "subscription", bob, plan="france-400")
    wish = confirm(desk, url)
    Plan.objects.update(valid_until="2020-06-01")
    answer = desk.post(url, wish, follow=True)
    assert "france-400 is not offered any more" in words_of(answer)
    assert not Subscription.objects.exists()


def test_a_price_changed_during_the_choice_is_asked_again(
    desk: Client, alice: Member, bob: Member, minutes: Plan
) -> None:
    url = reach_check(desk, "subscription", bob, plan="france-400")
    wish = confirm(desk, url)
    PlanPrice.objects.filter(months=1).update(price=7)
    answer = desk.post(url, wish)
    assert answer.status_code == 422
    assert "The price changed meanwhile." in words_of(answer)
    assert company_balance(alice.company) == 100
    assert desk.post(url, dict(HIDDEN.findall(answer.content.decode()))).status_code == 302
    assert company_balance(alice.company) == 93


def test_other_members_than_shown_are_asked_again(
    desk: Client, alice: Member, bob: Member, minutes: Plan
) -> None:
    answer = desk.post("/features/subscription/give/period/?all=1&plan=france-400", {"months": 1})
    url = str(answer["Location"])
    wish = confirm(desk, url)
    make_member(alice.company, "dora")
    answer = desk.post(url, wish)
    assert answer.status_code == 422
    assert "Meanwhile they are 3 members." in words_of(answer)
    assert not Subscription.objects.exists()


def test_no_price_in_the_companys_currency_is_said(desk: Client, bob: Member) -> None:
    make_plan("dollars", "voicemail", {1: "2"}, currency="USD")
    assert "No plan of this kind is offered in EUR" in words_of(
        desk.get(page_of("", "voicemail", bob))
    )
    answer = desk.get(page_of("period/", "voicemail", bob, plan="dollars"))
    assert "has no price in EUR" in words_of(answer)
    url = page_of("check/", "voicemail", bob, plan="dollars", months=1, key="0" * 32)
    assert "has no price in EUR" in words_of(desk.get(url, follow=True))


def test_a_free_plan_costs_nothing_and_moves_nothing(
    alice: Member, bob: Member, free_forwarding: Plan, client_of: ClientOf
) -> None:
    desk = client_of(alice)
    answer = desk.get(page_of("", "call-forwarding", bob))
    assert "/give/period/" in answer["Location"]
    url = reach_check(desk, "call-forwarding", bob, plan="forwarding")
    assert "costs nothing" in words_of(desk.get(url))
    assert "It was free." in words_of(desk.post(url, confirm(desk, url), follow=True))
    assert not Transfer.objects.exists()


def test_those_who_cannot_have_it_are_left_out_and_told(
    desk: Client, alice: Member, bob: Member, fiona: Member, voicemail: Plan
) -> None:
    give_plan(alice, voicemail, bob, now=utc_now())
    actor = Actor.of_member(alice)
    allow_kind(actor=actor, member_id=fiona.pk, kind="voicemail", is_allowed=False)
    period = str(desk.get("/features/voicemail/give/?all=1")["Location"])
    shown = words_of(desk.get(period))
    assert "1 member may not have this kind of feature." in shown
    assert "1 member has it already." in shown
    url = str(desk.post(period, {"months": 1})["Location"])
    assert desk.post(url, confirm(desk, url)).status_code == 302
    assert set(Subscription.objects.values_list("member", flat=True)) == {alice.pk, bob.pk}
    answer = desk.get(page_of("", "voicemail", bob))
    assert answer["Location"].startswith("/features/voicemail/")


@pytest.mark.parametrize("step", ["", "period/", "check/"])
def test_only_administrators_give_and_only_to_their_own(
    step: str,
    bob: Member,
    fiona: Member,
    charlie: Member,
    minutes: Plan,
    client_of: ClientOf,
) -> None:
    url = page_of(step, "subscription", bob, plan="france-400", months=1, key="1" * 32)
    for member, status in ((bob, 403), (fiona, 403), (charlie, 404)):
        client = client_of(member)
        assert client.get(url).status_code == status
        assert client.post(url, {"months": 1, "plan": "france-400"}).status_code == status
    assert not Subscription.objects.exists()


def test_what_was_given_is_shown_to_the_company_alone(
    desk: Client, alice: Member, bob: Member, charlie: Member, minutes: Plan, client_of: ClientOf
) -> None:
    given = give_plan(alice, minutes, bob, now=utc_now())
    assert desk.get(f"/features/given/{given.id}/").status_code == 200
    assert client_of(charlie).get(f"/features/given/{given.id}/").status_code == 404
    assert client_of(bob).get(f"/features/given/{given.id}/").status_code == 403


@pytest.mark.parametrize(
    "query",
    ["", "member=x", "member=9999999999999999999", "list=0", "every=1&list=x"],
)
def test_an_address_that_names_nobody_gives_nothing(
    desk: Client, minutes: Plan, query: str
) -> None:
    for step in ("", "period/", "check/"):
        answer = desk.post(f"/features/subscription/give/{step}?{query}&plan=france-400", {})
        assert answer.status_code in (302, 404)
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    "odd",
    [
        {"plan": "x\0"},
        {"plan": "france-400", "months": "2"},
        {"plan": "france-400", "months": "٣", "key": "x"},
        {"plan": "voicemail", "months": "1"},
        {"plan": "france-400", "area": "9" * 30, "months": "1"},
    ],
)
def test_odd_addresses_lead_back(
    desk: Client, bob: Member, minutes: Plan, voicemail: Plan, odd: dict[str, str]
) -> None:
    answer = desk.get(page_of("check/", "subscription", bob, **odd))
    assert answer.status_code in (200, 302)
    assert desk.get("/features/nothing/give/").status_code == 404


@pytest.mark.parametrize("key", ["", "x"])
def test_nothing_is_bought_without_a_key_of_its_own(
    desk: Client, bob: Member, minutes: Plan, key: str
) -> None:
    """Else the second purchase would be taken for the first one come again."""
    url = page_of("check/", "subscription", bob, plan="france-400", months=1, key=key)
    for response in (desk.get(url), desk.post(url, {"shown_count": 1, "shown_total": "5.0000"})):
        assert response.status_code == 302
        assert "/give/period/" in response["Location"]
    assert not Subscription.objects.exists()
