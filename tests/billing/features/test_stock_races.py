"""The catalogue and the stock change from two sides at once, on real connections."""

import io
from datetime import timedelta
from functools import partial
from threading import Event
from time import sleep

import pytest
from django.db import OperationalError, transaction

from billing.errors import NumberNotAvailable
from billing.features.catalogue import Imported, import_plans
from billing.features.numbers import reserve_numbers
from billing.features.stock import import_numbers, withdraw_numbers
from billing.models import NumberArea, PhoneNumber, Plan, PlanPrice
from members.models import Member
from tests.billing.features.conftest import NOON, give_plan
from tests.billing.test_leaving_races import of, one_in_the_others_way
from tests.credit.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
PLANS = (
    b"code,kind,name_en,name_fr,valid_from,currency,price_1\nvm,voicemail,V,V,2020-01-01,EUR,%s\n"
)


def test_a_number_that_is_just_chosen_is_not_withdrawn(alice: Member, paris: NumberArea) -> None:
    everything = list(PhoneNumber.objects.values_list("pk", flat=True))
    chosen, withdrawn = one_in_the_others_way(
        partial(reserve_numbers, actor=of(alice), area=paris, count=1, now=NOON),
        partial(withdraw_numbers, user=None, number_ids=everything, now=NOON),
    )
    assert not isinstance(chosen, Exception)
    assert isinstance(withdrawn, NumberNotAvailable)
    assert not PhoneNumber.objects.filter(state="withdrawn").exists()


def test_a_number_that_is_just_withdrawn_is_not_chosen(alice: Member, paris: NumberArea) -> None:
    everything = list(PhoneNumber.objects.values_list("pk", flat=True))
    withdrawn, chosen = one_in_the_others_way(
        partial(withdraw_numbers, user=None, number_ids=everything, now=NOON),
        partial(reserve_numbers, actor=of(alice), area=paris, count=1, now=NOON),
    )
    assert withdrawn == 5
    assert isinstance(chosen, NumberNotAvailable)


@pytest.mark.usefixtures("db")
def test_two_files_with_the_same_plan_at_once_make_it_once() -> None:
    first, second = one_in_the_others_way(
        partial(import_plans, io.BytesIO(PLANS % b"2")),
        partial(import_plans, io.BytesIO(PLANS % b"3")),
    )
    assert isinstance(first, Imported)
    assert isinstance(second, Imported)
    assert (first.added_count, second.changed_count) == (1, 1)
    assert Plan.objects.count() == 1
    assert PlanPrice.objects.get().price == 3


def test_two_files_with_the_same_numbers_at_once_store_each_once(paris: NumberArea) -> None:
    file = b"country,area,number,count\nFR,1,+33180001000,20\n"
    first, second = one_in_the_others_way(
        partial(import_numbers, io.BytesIO(file)), partial(import_numbers, io.BytesIO(file))
    )
    assert isinstance(first, Imported)
    assert isinstance(second, Imported)
    assert PhoneNumber.objects.filter(area=paris, e164__startswith="+33180001").count() == 20


def test_numbers_chosen_anew_while_they_are_given_do_not_lock_each_other_out(
    rich: Member, bob: Member, fiona: Member, french_number: Plan, paris: NumberArea
) -> None:
    first, second = reserve_numbers(actor=of(rich), area=paris, count=2, now=NOON)
    # Written again, the first one stands behind the second one in the table.
    PhoneNumber.objects.filter(pk=first.pk).update(reserved_until=second.reserved_until)
    PhoneNumber.objects.filter(pk=first.pk).update(reserved_until=NOON + timedelta(minutes=14))
    held = Event()

    def hold() -> None:
        with transaction.atomic():
            PhoneNumber.objects.select_for_update(no_key=True).get(pk=second.pk)
            held.set()
            sleep(1)

    def choose_anew() -> object:
        held.wait(10)
        return reserve_numbers(actor=of(rich), area=paris, count=2, now=NOON)

    def give() -> object:
        held.wait(10)
        sleep(0.4)
        return give_plan(rich, french_number, bob, fiona, numbers=(first.pk, second.pk))

    outcomes = at_once([hold, choose_anew, give])
    assert not [each for each in outcomes if isinstance(each, OperationalError)]
