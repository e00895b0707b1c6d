"""The demo company: made by the verbs, in order of time, once."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Max
from django.test import Client
from pytest_django import Settings

from billing.models import (
    FeatureKind,
    PhoneNumber,
    Plan,
    PlanPrice,
    Subscription,
    SubscriptionPeriod,
)
from credit.models import Account, Call, Rate, Transfer
from credit.rollup import roll_up_days
from credit.verification import verify_ledger
from members.details import update_member
from members.models import Company, Member
from skypemgr.portal.demo import story
from skypemgr.portal.demo.cast import read_cast
from skypemgr.portal.demo.features import fill_catalogue
from skypemgr.portal.demo.setting import Scene, set_scene
from skypemgr.portal.demo.story import Story


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    settings.GATEWAYS = ["sandbox"]


def tell(now: datetime, months: int = 2) -> Scene:
    """The story up to now."""
    fill_catalogue()
    scene = set_scene()
    Story(scene, now, months=months).tell()
    return scene


def test_it_ends_now_and_the_ledger_is_right(db: None) -> None:
    now = datetime(2026, 9, 17, 13, 30, tzinfo=UTC)
    scene = tell(now)
    assert verify_ledger() == []
    latest = Transfer.objects.aggregate(at=Max("created_at"), day=Max("booked_on"))
    assert latest["at"] <= now
    assert latest["day"] == now.date()
    for started_at, seconds in Call.objects.values_list("started_at", "duration_seconds"):
        assert started_at + timedelta(seconds=seconds) <= now
    kinds = set(Transfer.objects.values_list("kind", flat=True))
    assert kinds == {"purchase", "allocation", "auto_recharge", "call", "feature"}
    assert Account.objects.get(company=scene.company, kind="company").balance > 0


def test_who_moves_on_the_day_it_is_made_keeps_the_past(db: None) -> None:
    now = datetime(2026, 9, 17, 13, 30, tzinfo=UTC)
    scene = tell(now)
    assert roll_up_days(now=now) > 0
    update_member(
        actor=scene.actor, member=scene.members[2], list=scene.lists["Marketing"], now=now
    )
    assert verify_ledger() == []


def test_told_again_it_changes_nothing(db: None) -> None:
    now = datetime(2026, 9, 4, 13, 30, tzinfo=UTC)
    tell(now, months=1)
    tables = (Transfer, Call, Member, Subscription, SubscriptionPeriod, PlanPrice, PhoneNumber)
    before = [table.objects.count() for table in tables]
    tell(now, months=1)
    assert [table.objects.count() for table in tables] == before


def test_members_have_features_one_renewed_soon_and_one_that_ends(db: None) -> None:
    now = datetime(2026, 9, 17, 13, 30, tzinfo=UTC)
    company = tell(now, months=4).company
    given = Subscription.objects.filter(company=company)
    assert set(given.values_list("kind", flat=True)) == set(FeatureKind.values)
    assert {each.status for each in given} == {"active"}
    assert [each.plan.code for each in given.filter(renews=False)] == ["us-canada-120"]
    today = company.day_at(now)
    charged = sorted(each.charge_on for each in given if each.charge_on)
    assert today < charged[0] <= today + timedelta(days=7)
    assert SubscriptionPeriod.objects.filter(plan__code="number-fr").count() == 8
    assert Call.objects.filter(included_seconds__gt=0).exists()
    assert verify_ledger() == []


def test_the_demo_pays_for_every_destination_that_a_plan_includes(db: None) -> None:
    scene = tell(datetime(2026, 9, 2, 13, 30, tzinfo=UTC), months=1)
    rated = tuple(Rate.objects.filter(company=scene.company).values_list("prefix", flat=True))
    for plan in Plan.objects.filter(kind="subscription"):
        for prefix in plan.prefixes:
            assert prefix.startswith(rated), (plan.code, prefix)


def test_broken_off_it_goes_on_where_it_stopped(db: None) -> None:
    tell(datetime(2026, 9, 2, 13, 30, tzinfo=UTC), months=1)
    first = Transfer.objects.count()
    tell(datetime(2026, 9, 9, 13, 30, tzinfo=UTC), months=1)
    assert Transfer.objects.count() > first
    assert verify_ledger() == []


def test_nobody_has_a_name_that_an_import_might_bring(db: None) -> None:
    cast = read_cast()
    assert len(cast) == 60
    assert len({person.email for person in cast}) == 60
    assert max(person.joins_in for person in cast) < story.MONTHS


def test_the_command_prints_three_logins_that_work(db: None, settings: Settings) -> None:
    out = StringIO()
    call_command("demo", "--months", "1", stdout=out)
    known = json.loads((Path(settings.VAR_DIR) / "demo.json").read_text())
    assert [login["role"] for login in known["logins"]] == ["administrator", "finance", "member"]
    for login in known["logins"]:
        assert f"{login['login']} / {login['password']}" in out.getvalue()
        browser = Client()
        browser.post("/accounts/login/", {"login": login["login"], "password": login["password"]})
        assert browser.get("/me/").status_code == 200
    again = StringIO()
    call_command("demo", "--if-empty", stdout=again)
    assert again.getvalue() == out.getvalue()
    assert Company.objects.count() == 1


def test_where_there_are_companies_it_is_not_made_unasked(alice: Member) -> None:
    call_command("demo", "--if-empty", stdout=StringIO())
    assert list(Company.objects.values_list("name", flat=True)) == [alice.company.name]


def test_production_refuses_it(db: None, settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        call_command("demo")
    assert not Company.objects.exists()
