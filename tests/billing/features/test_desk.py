"""The operator's desk for features: plans and areas are kept, numbers withdrawn, the rest read."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from billing.models import NumberArea, PhoneNumber, Plan, PlanPrice
from members.models import Member, User
from tests.billing.features.conftest import give_number, give_plan, only

pytestmark = pytest.mark.django_db
PREFIX = "/admin/billing"


@pytest.fixture
def operator(client: Client) -> Client:
    user = User.objects.create_user("operator", "operator@example.com", "x")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.refresh_from_db()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def plan_form(plan: Plan | None, fields: dict[str, str]) -> dict[str, Any]:
    """What the page of a plan sends."""
    prices = list(plan.prices.order_by("currency", "months")) if plan else []
    form = {
        "code": plan.code if plan else "new",
        "kind": plan.kind if plan else "subscription",
        "name_en": "Name",
        "name_fr": "Nom",
        "country": "",
        "destinations": "33",
        "minutes": "400",
        "valid_from": "2020-01-01",
        "position": "1",
        "prices-TOTAL_FORMS": str(len(prices) + 1),
        "prices-INITIAL_FORMS": str(len(prices)),
    }
    for place, price in enumerate(prices):
        form |= {
            f"prices-{place}-id": str(price.pk),
            f"prices-{place}-plan": str(price.plan_id),
            f"prices-{place}-price": f"{price.price:.2f}",
        }
    return form | fields


def test_every_table_is_listed_and_shown(
    rich: Member, operator: Client, french_number: Plan, paris: NumberArea, minutes: Plan
) -> None:
    feature = give_number(rich, french_number, paris, rich)
    give_plan(rich, minutes, rich)
    rows = {
        "plan": minutes.pk,
        "numberarea": paris.pk,
        "phonenumber": feature.number_id,
        "subscription": feature.pk,
        "subscriptionperiod": feature.periods.get().pk,
    }
    for table, pk in rows.items():
        page = operator.get(f"{PREFIX}/{table}/")
        assert page.status_code == 200, table
        assert operator.get(f"{PREFIX}/{table}/?q=1").status_code == 200, table
        assert operator.get(f"{PREFIX}/{table}/{pk}/change/").status_code == 200, table
        assert operator.post(f"{PREFIX}/{table}/{pk}/delete/", {"post": "yes"}).status_code == 403
    for table in ("phonenumber", "subscription", "subscriptionperiod"):
        assert operator.get(f"{PREFIX}/{table}/add/").status_code == 403
        assert operator.post(f"{PREFIX}/{table}/{rows[table]}/change/", {}).status_code == 403
    for query in ("offered=yes", "offered=no"):
        assert operator.get(f"{PREFIX}/plan/?{query}").status_code == 200
    assert rich.company.name in operator.get(f"{PREFIX}/phonenumber/").content.decode()


def test_a_plan_is_added_with_a_price_typed_as_people_do(operator: Client) -> None:
    price = {"prices-0-currency": "EUR", "prices-0-months": "3", "prices-0-price": "14,50"}
    form = plan_form(None, {"destinations": "FR 32", **price})
    answer = operator.post(f"{PREFIX}/plan/add/", form)
    assert answer.status_code == 302, answer.context["errors"]
    plan = Plan.objects.get()
    assert (plan.included_seconds, plan.prefixes[0], plan.prefixes[-1]) == (24_000, "32", "339")
    stored = PlanPrice.objects.get()
    assert (stored.currency, stored.months, stored.price) == ("EUR", 3, Decimal("14.50"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"minutes": ""}, "Enter how many minutes"),
        ({"destinations": ""}, "Enter what the subscription includes"),
        ({"destinations": "QQ"}, "not known here"),
        ({"destinations": "0033"}, "Write the beginnings of numbers as digits"),
        ({"kind": "voicemail", "destinations": ""}, "Only subscriptions include minutes"),
        ({"kind": "voicemail", "minutes": ""}, "Only subscriptions have destinations"),
        ({"kind": "number", "minutes": "", "destinations": ""}, "Choose the country"),
        ({"country": "FR"}, "Only numbers have a country"),
        ({"valid_until": "2020-01-01"}, "cannot end before it begins"),
        ({"prices-0-currency": "JPY", "prices-0-price": "1,5"}, "no decimals"),
        ({"prices-0-currency": "EUR", "prices-0-price": "x"}, "not an amount"),
        ({"prices-0-currency": "EUR", "prices-0-price": "-1"}, "cannot be below 0"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_the_remedy(
    operator: Client, fields: dict[str, str], sentence: str
) -> None:
    form = plan_form(None, {"prices-0-months": "1", **fields})
    answer = operator.post(f"{PREFIX}/plan/add/", form)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not Plan.objects.exists()


def test_a_given_plan_is_renamed_repriced_and_withdrawn_and_nothing_else(
    rich: Member, operator: Client, minutes: Plan
) -> None:
    give_plan(rich, minutes, rich)
    address = f"{PREFIX}/plan/{minutes.pk}/change/"
    refused = operator.post(address, plan_form(minutes, {"minutes": "300"}))
    assert "was given already" in refused.content.decode()
    form = plan_form(
        minutes, {"code": "other", "valid_until": "2027-01-01", "prices-0-price": "6,99"}
    )
    answer = operator.post(address, form)
    assert answer.status_code == 302, answer.context["errors"]
    minutes.refresh_from_db()
    assert (minutes.code, minutes.name_fr, minutes.included_seconds) == (
        "france-400",
        "Nom",
        24_000,
    )
    assert str(minutes.valid_until) == "2027-01-01"
    assert minutes.prices.get(months=1).price == Decimal("6.99")
    assert only().periods.get().price == 5


def test_rules_of_residence_stand_in_both_languages(operator: Client, paris: NumberArea) -> None:
    address = f"{PREFIX}/numberarea/{paris.pk}/change/"
    form = {"country": "GB", "code": "9", "name": "Paris", "note_en": "Live there.", "position": 1}
    answer = operator.post(address, form)
    assert "in both languages" in answer.content.decode()
    assert operator.post(address, form | {"note_fr": "Y habiter."}).status_code == 302
    paris.refresh_from_db()
    assert (paris.country, paris.code, paris.note_fr) == ("FR", "1", "Y habiter.")


def test_free_numbers_are_withdrawn_and_brought_back_and_it_is_written_down(
    rich: Member, operator: Client, french_number: Plan, paris: NumberArea
) -> None:
    given = give_number(rich, french_number, paris, rich).number
    assert given is not None
    address = f"{PREFIX}/phonenumber/"
    free = list(PhoneNumber.objects.filter(state="free").values_list("pk", flat=True))

    def act(action: str, *pks: int) -> str:
        form = {"action": action, "_selected_action": [str(pk) for pk in pks]}
        return operator.post(address, form, follow=True).content.decode()

    assert "Only a free number can be withdrawn" in act("withdraw", given.pk, *free)
    assert not PhoneNumber.objects.filter(state="withdrawn").exists()
    assert not LogEntry.objects.exists()
    assert "2 numbers are withdrawn." in act("withdraw", *free[:2])
    assert LogEntry.objects.filter(change_message="withdraw_numbers").count() == 2
    assert "2 numbers are back." in act("bring_back", given.pk, *free)
    assert LogEntry.objects.filter(change_message="bring_back_numbers").count() == 2
    given.refresh_from_db()
    assert given.state == "assigned"


def test_staff_without_the_right_change_nothing(
    client: Client, paris: NumberArea, minutes: Plan
) -> None:
    user = User.objects.create_user("clerk", "clerk@example.com", "x")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.refresh_from_db()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for table in ("plan", "numberarea", "phonenumber", "subscription"):
        assert client.get(f"{PREFIX}/{table}/").status_code == 403
    assert (
        client.post(f"{PREFIX}/plan/{minutes.pk}/change/", plan_form(minutes, {})).status_code
        == 403
    )
    assert client.post(f"{PREFIX}/numberarea/{paris.pk}/change/", {}).status_code == 403
