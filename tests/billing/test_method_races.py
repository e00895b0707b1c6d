"""Ways to pay that are removed at the same moment, on real connections."""

from datetime import UTC, datetime
from functools import partial

import pytest

from billing.method_removal import remove_method
from billing.models import PaymentMethod
from members.models import Member
from tests.billing.test_leaving_races import of, one_in_the_others_way

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_two_removed_at_once_leave_a_default(alice: Member) -> None:
    first, second, third = (
        PaymentMethod.objects.create(
            company=alice.company,
            gateway="sandbox",
            kind="card",
            reference=f"r{place}",
            fingerprint=f"f{place}",
            label=f"card {place}",
            is_default=place == 1,
            position=place,
            confirmed_at=NOON,
        )
        for place in (1, 2, 3)
    )
    removed = one_in_the_others_way(
        partial(remove_method, actor=of(alice), pk=second.pk, now=NOON),
        partial(remove_method, actor=of(alice), pk=first.pk, now=NOON),
    )
    assert removed == (None, None)
    left = PaymentMethod.objects.get(removed_at=None)
    assert (left.pk, left.is_default) == (third.pk, True)
