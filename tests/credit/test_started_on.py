"""The day on which a call started: the company's, fixed when the call is stored."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.holds import authorize_call, settle_call
from credit.models import Call, Rate
from members.actors import Actor
from members.models import Member
from members.zones import change_time_zone
from tests.conftest import credit_company, give

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DESTINATION = "+33142278186"


@pytest.fixture(autouse=True)
def _deck(db: None) -> None:
    Rate.objects.create(
        prefix="33",
        kind="landline",
        price_per_minute=Decimal("0.6"),
        currency="EUR",
        valid_from="2025-01-01",
    )


def stored(member: Member, started_at: datetime, now: datetime) -> Call:
    row = CallRow("test", uuid.uuid4().hex, member.pk, DESTINATION, started_at, 60)
    company = type(member.company).objects.get(pk=member.company_id)
    assert charge_calls(company, [row], now=now)[0].status == "charged"
    return Call.objects.latest("pk")


@pytest.mark.parametrize(
    ("started_at", "day"),
    [
        # In Paris the 10th begins at 23:00 UTC of the 9th.
        (datetime(2026, 3, 9, 22, 59, tzinfo=UTC), date(2026, 3, 9)),
        (datetime(2026, 3, 9, 23, 0, tzinfo=UTC), date(2026, 3, 10)),
        (datetime(2026, 1, 31, 23, 30, tzinfo=UTC), date(2026, 2, 1)),
    ],
)
def test_it_is_the_day_in_the_companys_zone(bob: Member, started_at: datetime, day: date) -> None:
    call = stored(bob, started_at, NOON)
    assert (call.started_on, call.booked_on) == (day, date(2026, 3, 10))


def test_it_is_never_after_the_day_of_booking(bob: Member) -> None:
    midnight = datetime(2026, 3, 10, 23, tzinfo=UTC)
    call = stored(bob, midnight + timedelta(minutes=2), midnight - timedelta(minutes=2))
    assert call.started_on == call.booked_on == date(2026, 3, 10)


def test_the_zone_in_force_at_the_booking_decides_and_later_changes_nothing(
    alice: Member, bob: Member
) -> None:
    started_at = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)
    before = stored(bob, started_at, NOON)
    change_time_zone(actor=Actor.of_member(alice), zone="Asia/Kolkata", now=NOON)
    turn = datetime(2026, 4, 1, tzinfo=ZoneInfo("Asia/Kolkata"))
    same = stored(bob, started_at, turn - timedelta(minutes=1))
    after = stored(bob, started_at, turn)
    before.refresh_from_db()
    assert [call.started_on.day for call in (before, same, after)] == [9, 9, 10]


def test_a_settled_call_has_it_too(alice: Member, bob: Member) -> None:
    credit_company(alice.company, "100", now=NOON)
    give(alice, bob, "50", now=NOON)
    answer = authorize_call(
        bob.company, source="pbx", id="1", member=bob.pk, destination=DESTINATION, now=NOON
    )
    assert answer.hold_id is not None
    began = NOON - timedelta(days=2)
    settle_call(bob.company, answer.hold_id, started_at=began, duration_seconds=5, now=NOON)
    call = Call.objects.get()
    assert (call.started_on, call.booked_on) == (date(2026, 3, 8), date(2026, 3, 10))


def test_the_database_refuses_a_start_after_the_booking(bob: Member) -> None:
    call = stored(bob, NOON, NOON)
    with (
        pytest.raises(IntegrityError, match="call_started_before_booked"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE credit_call SET started_on = booked_on + 1 WHERE id = %s", [call.pk])


@pytest.mark.django_db(transaction=True)
def test_calls_from_before_are_given_their_day(alice: Member, bob: Member) -> None:
    change_time_zone(actor=Actor.of_member(alice), zone="Asia/Kolkata", now=NOON)
    turn = datetime(2026, 4, 1, tzinfo=ZoneInfo("Asia/Kolkata"))
    for at in (NOON, turn - timedelta(hours=1), turn, turn + timedelta(days=3)):
        for back in (0, 11, 40):
            stored(bob, at - timedelta(hours=back), at)
    wanted = list(Call.objects.order_by("pk").values_list("pk", "started_on"))
    MigrationExecutor(connection).migrate([("credit", "0012_usage")])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE credit_call SET started_on = NULL")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert list(Call.objects.order_by("pk").values_list("pk", "started_on")) == wanted
