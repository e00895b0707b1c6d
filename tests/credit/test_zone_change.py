"""Changing the company's time zone: from the 1st of the next month on, without any job."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.allocation import Recipients
from credit.models import Account, Transfer
from credit.rules import RuleTerms, describe_rule, save_rules
from credit.sweeps import resume_rules, sweep_due_purses
from credit.verification import verify_ledger
from members.actors import Actor
from members.errors import InvalidField
from members.models import AuditEntry, Company, Member
from members.zones import change_time_zone
from skypemgr.lib.errors import NotAllowed
from tests.conftest import credit_company, give

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ZONES = (
    "Pacific/Kiritimati",
    "Pacific/Auckland",
    "Asia/Kolkata",
    "Europe/Paris",
    "UTC",
    "America/New_York",
    "Pacific/Honolulu",
    "Pacific/Pago_Pago",
)


def change(alice: Member, zone: str, now: datetime = NOON) -> Company:
    return change_time_zone(actor=Actor.of_member(alice), zone=zone, now=now)


def booked(company: Company, now: datetime) -> date:
    """The day on which a purchase at that instant is booked."""
    credit_company(company, "1", now=now)
    return Transfer.objects.latest("pk").booked_on


def test_the_present_month_ends_in_the_old_zone_and_the_next_begins_in_the_new(
    alice: Member, acme: Company
) -> None:
    change(alice, "Pacific/Auckland")
    turn = datetime(2026, 4, 1, tzinfo=ZoneInfo("Pacific/Auckland"))
    # In Paris it is still noon of the 31st.
    assert booked(acme, turn - timedelta(seconds=1)) == date(2026, 3, 31)
    assert booked(acme, turn) == date(2026, 4, 1)
    assert booked(acme, turn + timedelta(hours=25)) == date(2026, 4, 2)


def test_a_zone_to_the_west_lets_the_first_day_last_longer(alice: Member, acme: Company) -> None:
    change(alice, "America/New_York")
    in_paris = datetime(2026, 4, 1, tzinfo=ZoneInfo("Europe/Paris"))
    in_new_york = datetime(2026, 4, 1, tzinfo=ZoneInfo("America/New_York"))
    days = [booked(acme, at) for at in (in_paris, in_new_york, in_new_york + timedelta(hours=23))]
    assert days == [date(2026, 4, 1)] * 3
    assert booked(acme, in_new_york + timedelta(hours=24)) == date(2026, 4, 2)


def test_days_booked_before_stay_as_they_were(alice: Member, acme: Company) -> None:
    late = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    assert booked(acme, late) == date(2026, 3, 10)
    change(alice, "America/New_York")
    assert list(Transfer.objects.values_list("booked_on", flat=True)) == [date(2026, 3, 10)]


def test_changing_again_before_it_takes_effect_replaces_it(alice: Member) -> None:
    change(alice, "Pacific/Auckland")
    company = change(alice, "America/New_York", NOON + timedelta(days=3))
    assert company.zone_at(NOON) == "Europe/Paris"
    assert company.zone_at(NOON + timedelta(days=30)) == "America/New_York"


def test_asking_for_the_zone_in_force_takes_a_change_back(alice: Member) -> None:
    change(alice, "Pacific/Auckland")
    company = change(alice, "Europe/Paris")
    assert (company.next_time_zone, company.next_time_zone_on) == ("", None)
    assert company.zone_at(NOON + timedelta(days=60)) == "Europe/Paris"


def test_a_second_change_starts_from_the_first_that_took_effect(alice: Member) -> None:
    change(alice, "Pacific/Auckland")
    may = datetime(2026, 5, 10, tzinfo=UTC)
    company = change(alice, "UTC", may)
    assert company.zone_at(may) == "Pacific/Auckland"
    assert company.zone_at(datetime(2026, 6, 1, tzinfo=UTC)) == "UTC"
    assert company.coming_zone is None or company.coming_zone[0] == "UTC"


def test_at_the_turn_of_a_month_the_change_is_still_to_come(alice: Member, acme: Company) -> None:
    Company.objects.filter(pk=acme.pk).update(time_zone="Pacific/Honolulu")
    # In Honolulu the 31st of March has just begun; in Auckland it is the 1st of April already.
    at = datetime(2026, 3, 31, 12, tzinfo=UTC)
    company = change(alice, "Pacific/Auckland", at)
    assert company.zone_at(at) == "Pacific/Honolulu"
    assert company.next_time_zone_on == date(2026, 5, 1)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "europe/paris", "localtime", "CET+1"])
def test_an_unknown_zone_is_refused_and_changes_nothing(alice: Member, zone: str) -> None:
    with pytest.raises(InvalidField) as refused:
        change(alice, zone)
    assert refused.value.field == "time_zone"
    assert Company.objects.get(pk=alice.company_id).next_time_zone == ""
    assert not AuditEntry.objects.filter(verb="change_time_zone").exists()


def test_only_an_administrator_changes_the_own_companys_zone(
    alice: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    for member in (bob, fiona):
        with pytest.raises(NotAllowed):
            change(member, "UTC")
    change(charlie, "UTC")
    assert Company.objects.get(pk=alice.company_id).next_time_zone == ""
    assert AuditEntry.objects.filter(verb="change_time_zone").count() == 1


def test_half_a_change_is_refused_by_the_database(acme: Company) -> None:
    for half in ({"next_time_zone": "UTC"}, {"next_time_zone_on": date(2026, 4, 1)}):
        with (
            pytest.raises(IntegrityError, match="company_next_time_zone_complete"),
            transaction.atomic(),
        ):
            Company.objects.filter(pk=acme.pk).update(**half)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York"])
def test_a_suspended_rule_resumes_when_the_month_begins_in_the_new_zone(
    alice: Member, bob: Member, zone: str
) -> None:
    credit_company(alice.company, "100", now=NOON)
    terms = RuleTerms(Decimal(10), Decimal(50), Decimal(10))
    save_rules(
        actor=Actor.of_member(alice),
        recipients=Recipients(member_ids=(bob.pk,)),
        terms=terms,
        now=NOON,
    )
    change(alice, zone)
    turn = datetime(2026, 4, 1, tzinfo=ZoneInfo(zone))
    before = turn - timedelta(seconds=1)
    if before.astimezone(ZoneInfo("Europe/Paris")).month == 3:
        assert resume_rules(now=before) == 0
    bob.refresh_from_db()
    assert resume_rules(now=turn) == 1
    assert sweep_due_purses(now=turn) == 1
    assert Account.objects.get(member=bob).balance == 20
    status = describe_rule(Member.objects.get(pk=bob.pk), now=turn)
    assert status is not None
    assert status.resumes_on == date(2026, 5, 1)


def test_the_first_instant_of_a_day_is_that_of_its_zone(alice: Member) -> None:
    company = change(alice, "Pacific/Auckland")
    march, april = date(2026, 3, 31), date(2026, 4, 1)
    assert company.start_of(march) == datetime(2026, 3, 31, tzinfo=ZoneInfo("Europe/Paris"))
    assert company.start_of(april) == datetime(2026, 4, 1, tzinfo=ZoneInfo("Pacific/Auckland"))


@settings(max_examples=30, deadline=None)
@given(
    old=st.sampled_from(ZONES),
    new=st.sampled_from(ZONES),
    asked_hour=st.integers(0, 24 * 31),
    hours=st.lists(st.integers(0, 24 * 70), min_size=1, max_size=6),
)
def test_whatever_the_zones_a_purses_days_never_go_back(
    old: str, new: str, asked_hour: int, hours: list[int]
) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with transaction.atomic():
        name = uuid.uuid4().hex[:20]
        company = Company.objects.create(
            name=name, country="FR", currency="EUR", time_zone=old, language="en"
        )
        asked = start + timedelta(hours=asked_hour)
        changed = change_time_zone(actor=Actor.system(company), zone=new, now=asked)
        assert changed.zone_at(asked) == old
        instants = [asked + timedelta(hours=hour) for hour in sorted(hours)]
        days = [booked(company, at) for at in instants]
        assert days == sorted(days)
        assert changed.zone_at(asked + timedelta(days=63)) == new
        assert verify_ledger() == []
        transaction.set_rollback(True)


def test_the_turn_moves_money_of_each_side_into_its_own_month(alice: Member, bob: Member) -> None:
    credit_company(alice.company, "100", now=NOON)
    change(alice, "Pacific/Auckland")
    turn = datetime(2026, 4, 1, tzinfo=ZoneInfo("Pacific/Auckland"))
    give(alice, bob, "1", now=turn - timedelta(minutes=1))
    give(alice, bob, "2", now=turn)
    moves = Transfer.objects.filter(kind="allocation").order_by("pk")
    assert [(move.booked_on.month, move.amount) for move in moves] == [(3, 1), (4, 2)]
    assert verify_ledger() == []
