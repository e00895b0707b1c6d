"""The low-balance alert: one notice for each crossing, however late or often it is looked for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from credit.accounts import ensure_accounts
from credit.errors import InvalidAmount, UnknownMember
from credit.low_balance import (
    describe_alert,
    look_at_balance,
    save_alert,
    sweep_low_balances,
    switch_off_alert,
)
from credit.models import Account
from members.actors import Actor
from members.models import AuditEntry, Member, Notice
from skypemgr.lib.errors import NotAllowed
from tests.conftest import give, make_member

Credited = Callable[..., None]


@pytest.fixture
def watched(alice: Member, fiona: Member, bob: Member, credited: Credited) -> Member:
    """Acme has 100 and wants fiona to know when it has less than 50."""
    credited(alice.company, 100)
    save_alert(actor=Actor.of_member(alice), level=Decimal(50), recipient_ids=[fiona.pk])
    return alice


def told(member: Member) -> list[tuple[str, str]]:
    """What the member was told: key and balance, in order."""
    rows = Notice.objects.filter(member=member, kind="low_balance").order_by("pk")
    return [(row.key, row.data["balance"]) for row in rows]


def test_a_crossing_is_told_once_to_the_recipients_alone(
    watched: Member, bob: Member, fiona: Member
) -> None:
    give(watched, bob, "50")
    assert sweep_low_balances() == 0
    give(watched, bob, "10")
    assert look_at_balance(watched.company_id) == 1
    assert look_at_balance(watched.company_id) == 0
    give(watched, bob, "10")
    assert sweep_low_balances() == 0
    assert told(fiona) == [("low_balance:3", "40.0000")]
    assert told(watched) == []


def test_once_it_has_been_at_the_level_again_the_next_crossing_is_told(
    watched: Member, bob: Member, fiona: Member, credited: Credited
) -> None:
    give(watched, bob, "60")
    sweep_low_balances()
    credited(watched.company, 10)
    sweep_low_balances()
    give(watched, bob, "0.0001")
    assert sweep_low_balances() == 1
    assert [balance for _key, balance in told(fiona)] == ["40.0000", "49.9999"]


def test_a_dip_and_a_return_between_two_looks_count(
    watched: Member, bob: Member, fiona: Member, credited: Credited
) -> None:
    give(watched, bob, "60")
    sweep_low_balances()
    credited(watched.company, 100)
    give(watched, bob, "100")
    credited(watched.company, 100)
    assert sweep_low_balances() == 1
    assert told(fiona) == [("low_balance:2", "40.0000"), ("low_balance:4", "40.0000")]
    assert not describe_alert(watched.company).is_below


def test_a_credit_that_stays_below_is_no_return(
    watched: Member, bob: Member, fiona: Member, credited: Credited
) -> None:
    give(watched, bob, "90")
    sweep_low_balances()
    credited(watched.company, 5)
    give(watched, bob, "5")
    assert sweep_low_balances() == 0
    assert len(told(fiona)) == 1


def test_a_look_that_dies_half_way_tells_once_in_the_end(
    watched: Member, bob: Member, fiona: Member
) -> None:
    give(watched, bob, "60")

    def die_half_way() -> None:
        with transaction.atomic():
            assert look_at_balance(watched.company_id) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die_half_way()
    assert told(fiona) == []
    assert sweep_low_balances() == 1
    Account.objects.filter(company=watched.company, kind="company").update(alert_looked_version=1)
    sweep_low_balances()
    assert len(told(fiona)) == 1


@pytest.mark.django_db(transaction=True)
def test_looks_at_the_same_moment_tell_once(watched: Member, bob: Member, fiona: Member) -> None:
    give(watched, bob, "60")

    def look(_turn: int) -> int:
        try:
            return look_at_balance(watched.company_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(look, range(4))) == 1
    assert len(told(fiona)) == 1


def test_a_level_above_the_balance_is_told_at_once_and_only_once(
    watched: Member, fiona: Member
) -> None:
    actor = Actor.of_member(watched)
    for level in ("120", "130", "120"):
        save_alert(actor=actor, level=Decimal(level), recipient_ids=[fiona.pk])
    assert told(fiona) == [("low_balance:1", "100.0000")]
    assert describe_alert(watched.company).is_below


def test_who_may_no_longer_read_the_balance_is_not_told_and_administrators_are_instead(
    watched: Member, bob: Member, fiona: Member
) -> None:
    zoe = make_member(watched.company, "zoe", role="administrator")
    Member.objects.filter(pk=fiona.pk).update(role="member")
    give(watched, bob, "60")
    sweep_low_balances()
    assert told(fiona) == []
    assert len(told(watched)) == len(told(zoe)) == 1


def test_switched_off_it_tells_nothing_and_costs_no_look(
    watched: Member, bob: Member, fiona: Member
) -> None:
    switch_off_alert(actor=Actor.of_member(watched))
    give(watched, bob, "60")
    assert not Account.objects.filter(is_unlooked=True).exists()
    assert sweep_low_balances() == look_at_balance(watched.company_id) == 0
    assert told(fiona) == []
    status = describe_alert(watched.company)
    assert (status.level, status.recipients) == (None, (fiona,))
    switch_off_alert(actor=Actor.of_member(watched))
    verbs = AuditEntry.objects.filter(verb__contains="low_balance").order_by("pk")
    assert [entry.verb for entry in verbs] == [
        "save_low_balance_alert",
        "switch_off_low_balance_alert",
    ]


def test_saving_the_same_again_leaves_no_trace(watched: Member, fiona: Member) -> None:
    save_alert(actor=Actor.of_member(watched), level=Decimal(50), recipient_ids=[fiona.pk])
    assert AuditEntry.objects.filter(verb="save_low_balance_alert").count() == 1


def test_what_was_crossed_before_a_new_level_is_still_told(
    watched: Member, bob: Member, fiona: Member
) -> None:
    give(watched, bob, "60")
    save_alert(actor=Actor.of_member(watched), level=Decimal(20), recipient_ids=[fiona.pk])
    assert told(fiona) == [("low_balance:2", "40.0000")]
    give(watched, bob, "30")
    sweep_low_balances()
    assert len(told(fiona)) == 2


def test_members_and_people_of_other_companies_cannot_be_told(
    watched: Member, bob: Member, charlie: Member
) -> None:
    for stranger in (bob, charlie):
        with pytest.raises(UnknownMember):
            save_alert(
                actor=Actor.of_member(watched), level=Decimal(5), recipient_ids=[stranger.pk]
            )
    with pytest.raises(InvalidAmount):
        save_alert(actor=Actor.of_member(watched), level=Decimal(0), recipient_ids=[])
    assert describe_alert(watched.company).level == 50
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE credit_lowbalancerecipient SET member_id = %s", [charlie.pk])


def test_finance_and_members_cannot_set_it(watched: Member, fiona: Member, bob: Member) -> None:
    for member in (fiona, bob):
        with pytest.raises(NotAllowed):
            save_alert(actor=Actor.of_member(member), level=Decimal(5), recipient_ids=[])
        with pytest.raises(NotAllowed):
            switch_off_alert(actor=Actor.of_member(member))
    assert describe_alert(watched.company).level == 50


def test_a_members_purse_is_never_watched(watched: Member, bob: Member) -> None:
    purse = ensure_accounts(watched.company, [bob.pk]).members[bob.pk]
    with (
        pytest.raises(IntegrityError, match="account_alert_only_of_companies"),
        transaction.atomic(),
    ):
        Account.objects.filter(pk=purse).update(alert_below=5, alert_looked_version=0)


def test_a_look_costs_the_same_however_many_companies_rest(
    watched: Member,
    charlie: Member,
    credited: Credited,
    django_assert_num_queries: Callable[..., object],
) -> None:
    credited(charlie.company, 100)
    save_alert(actor=Actor.of_member(charlie), level=Decimal(50), recipient_ids=[])
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        assert sweep_low_balances() == 0
