"""The catalogue and the stock change from two sides at once, on real connections."""

import io
from functools import partial

import pytest

from billing.errors import NumberNotAvailable
from billing.features.catalogue import Imported, import_plans
from billing.features.numbers import reserve_numbers
from billing.features.stock import import_numbers, withdraw_numbers
from billing.models import NumberArea, PhoneNumber, Plan, PlanPrice
from members.models import Member
from tests.billing.features.conftest import NOON
from tests.billing.test_leaving_races import of, one_in_the_others_way

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
