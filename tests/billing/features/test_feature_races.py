"""Features change while people go and companies close, on real connections."""

from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.closing import close_company
from billing.errors import FeatureRefused
from billing.features.changing import cancel_feature, undo_cancel
from billing.features.numbers import reallocate_number
from billing.leaving import remove_members
from billing.models import NumberArea, Plan
from credit.accounts import company_balance
from members.actors import Actor
from members.models import Company, Member
from tests.billing.features.conftest import NOON, give_number, give_plan, only
from tests.billing.test_leaving_races import of, one_in_the_others_way
from tests.conftest import give

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cancel_is_not_taken_back_for_somebody_who_is_just_removed(
    rich: Member, bob: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob)
    feature = only().pk
    cancel_feature(actor=of(rich), subscription_id=feature, now=NOON)
    removed, taken_back = one_in_the_others_way(
        partial(remove_members, actor=of(rich), member_ids=[bob.pk], now=NOON),
        partial(undo_cancel, actor=of(rich), subscription_id=feature, now=NOON),
    )
    assert not isinstance(removed, Exception)
    assert isinstance(taken_back, FeatureRefused)
    assert only().renews is False


def test_what_is_given_while_the_company_closes_does_not_renew(
    rich: Member, bob: Member, minutes: Plan
) -> None:
    give(rich, rich, "95", now=NOON)
    given, closed = one_in_the_others_way(
        partial(give_plan, rich, minutes, bob), partial(close_company, actor=of(rich), now=NOON)
    )
    assert not isinstance(given, Exception)
    assert not isinstance(closed, Exception)
    assert Company.objects.get(pk=rich.company_id).state == "closed"
    assert company_balance(rich.company) == 0
    assert only().renews is False


def test_the_receiver_of_a_number_is_locked_before_the_number_as_by_leaving(
    rich: Member, bob: Member, fiona: Member, french_number: Plan, paris: NumberArea
) -> None:
    feature = give_number(rich, french_number, paris, bob)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        reallocate_number(
            actor=Actor.of_member(rich), subscription_id=feature.pk, member_id=fiona.pk
        )
    locks = [each["sql"] for each in queries if "FOR NO KEY UPDATE" in each["sql"]]
    tables = [sql.rpartition(" OF ")[2].strip('"') for sql in locks]
    assert tables == ["members_member", "billing_subscription"]
