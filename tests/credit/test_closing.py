"""Closed months: nothing is booked into them any more, and their figures stay for ever."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from credit import closing
from credit.accounts import ensure_accounts
from credit.closing import close_company, close_months, closing_of, turn_months, verify_closings
from credit.ledger import Move, Posting, post_transfers
from credit.models import DailyTotal, MonthClosing, Transfer
from members.models import Company, Member
from skypemgr.lib.periods import utc_now
from tests.conftest import credit_company, give, make_company, make_member
from tests.credit.test_races import at_once

pytestmark = pytest.mark.django_db
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
IN_MARCH = datetime(2026, 3, 10, 12, tzinfo=UTC)
IN_APRIL = datetime(2026, 4, 1, 12, tzinfo=UTC)
LATER = IN_APRIL + timedelta(minutes=10)


@pytest.fixture
def alice() -> Member:
    """Administers Acme, founded in March."""
    member = make_company("Acme", "alice")
    Company.objects.filter(pk=member.company_id).update(created_at=IN_MARCH)
    member.company.refresh_from_db()
    return member


@pytest.fixture
def acme(alice: Member) -> Company:
    """The company."""
    return alice.company


@pytest.fixture
def bob(acme: Company) -> Member:
    """A member of Acme."""
    return make_member(acme, "bob")


def close(at: datetime = IN_APRIL) -> int:
    """Both steps, ten minutes apart."""
    close_months(now=at)
    return close_months(now=at + timedelta(minutes=10))


def test_a_month_is_frozen_ten_minutes_after_it_is_closed_for_postings(
    acme: Company, alice: Member, bob: Member
) -> None:
    credit_company(acme, "100", now=IN_MARCH)
    give(alice, bob, "30", now=IN_MARCH)
    assert close_months(now=IN_APRIL) == 0
    assert closing_of(acme, MARCH) is None
    assert close_months(now=LATER - timedelta(seconds=1)) == 0
    assert close_months(now=LATER) == 1
    closing = closing_of(acme, MARCH)
    assert closing is not None
    assert (closing.company_opening, closing.company_closing) == (0, 70)
    assert (closing.members_opening, closing.members_closing) == (0, 30)
    assert closing.closed_at == LATER
    assert ["company", None, "", "allocation", "0.0000", "30.0000", 1] in closing.figures["totals"]
    acme.refresh_from_db()
    assert (acme.booked_from, acme.closing_since) == (APRIL, None)


def test_a_clock_that_is_behind_books_into_the_open_month(
    acme: Company, alice: Member, bob: Member
) -> None:
    credit_company(acme, "100", now=IN_MARCH)
    close()
    give(alice, bob, "30", now=IN_MARCH + timedelta(days=5))
    moved = Transfer.objects.get(kind="allocation")
    assert moved.booked_on == APRIL
    assert not DailyTotal.objects.filter(kind="allocation", day__lt=APRIL).exists()
    assert verify_closings() == []


def test_months_that_were_missed_are_closed_in_order_each_from_the_one_before(
    acme: Company, alice: Member, bob: Member
) -> None:
    credit_company(acme, "100", now=IN_MARCH)
    give(alice, bob, "30", now=IN_APRIL)
    assert close(datetime(2026, 6, 2, tzinfo=UTC)) == 3
    closings = list(MonthClosing.objects.order_by("month"))
    assert [each.month for each in closings] == [MARCH, APRIL, MAY]
    assert [each.company_opening for each in closings] == [0, 100, 70]
    assert [each.company_closing for each in closings] == [100, 70, 70]
    assert len({each.digest for each in closings}) == 3


def test_closing_twice_changes_nothing(acme: Company) -> None:
    credit_company(acme, "100", now=IN_MARCH)
    assert close() == 1
    before = MonthClosing.objects.get().digest
    assert close() == 0
    assert close(LATER + timedelta(days=3)) == 0
    assert MonthClosing.objects.get().digest == before


def test_the_month_ends_in_the_companys_zone() -> None:
    tokyo = make_company("Tokyo", "aki", time_zone="Asia/Tokyo").company
    lima = make_company("Lima", "luz", time_zone="America/Lima").company
    Company.objects.update(created_at=IN_MARCH)
    at = datetime(2026, 3, 31, 16, tzinfo=UTC)
    turn_months(now=at)
    tokyo.refresh_from_db()
    lima.refresh_from_db()
    assert (tokyo.booked_from, lima.booked_from) == (APRIL, MARCH)
    turn_months(now=at + timedelta(hours=13))
    lima.refresh_from_db()
    assert lima.booked_from == APRIL


def test_a_turned_company_is_left_alone_until_its_next_month(acme: Company) -> None:
    assert turn_months(now=IN_APRIL) == 1
    assert turn_months(now=IN_APRIL + timedelta(days=20)) == 0
    assert turn_months(now=IN_APRIL + timedelta(days=31)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_freeze_a_month_once(acme: Company) -> None:
    credit_company(acme, "100", now=IN_MARCH)
    close_months(now=IN_APRIL)
    acme.refresh_from_db()
    counts = at_once([lambda: close_company(acme, now=LATER)] * 4)
    assert sorted(map(str, counts)) == ["0", "0", "0", "1"]
    assert MonthClosing.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_month_is_not_frozen_while_a_posting_goes_on_that_began_before(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "SETTLES_AFTER", timedelta(0))
    credit_company(acme, "100", now=IN_MARCH)
    has_locked, may_end = Event(), Event()

    def book() -> None:
        accounts = ensure_accounts(acme)
        source, purse = accounts.purchases, accounts.company
        with transaction.atomic():
            posting = Posting.open(acme.pk, [source, purse], keys=(), now=IN_MARCH)
            has_locked.set()
            may_end.wait(30)
            posting.transfer(Move("purchase", source, purse, Decimal(7), "purchase:slow"))
            posting.write()

    def freeze() -> tuple[int, int]:
        has_locked.wait(30)
        turned_at = utc_now()
        meanwhile = close_months(now=turned_at)
        may_end.set()
        while not Transfer.objects.filter(key="purchase:slow").exists():
            sleep(0.01)
        return meanwhile, close_months(now=turned_at)

    booked, frozen = at_once([book, freeze])
    assert booked is None
    assert isinstance(frozen, tuple)
    assert frozen[0] == 0
    assert frozen[1] > 0
    assert not verify_closings()


def test_a_closed_month_is_never_edited(acme: Company) -> None:
    credit_company(acme, "100", now=IN_MARCH)
    close()
    with (
        pytest.raises(IntegrityError, match="month_closing_is_never_changed"),
        transaction.atomic(),
    ):
        MonthClosing.objects.update(company_closing=1)
    with (
        pytest.raises(IntegrityError, match="month_closing_is_never_changed"),
        transaction.atomic(),
    ):
        MonthClosing.objects.all().delete()


def test_what_is_booked_into_a_closed_month_past_the_code_is_found(
    acme: Company, alice: Member, bob: Member
) -> None:
    credit_company(acme, "100", now=IN_MARCH)
    close()
    Company.objects.update(booked_from=None)
    give(alice, bob, "30", now=IN_MARCH)
    found = verify_closings()
    assert [(each.company_id, each.month) for each in found] == [(acme.pk, MARCH)]
    with pytest.raises(SystemExit):
        call_command("verify_ledger", stdout=StringIO(), stderr=StringIO())


def test_a_forged_digest_is_found_in_every_later_month(acme: Company) -> None:
    credit_company(acme, "100", now=IN_MARCH)
    close(datetime(2026, 6, 2, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE credit_monthclosing SET digest = repeat('0', 64) WHERE month = %s", [MARCH]
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert [each.month for each in verify_closings()] == [MARCH, APRIL]


def test_a_company_in_which_nothing_ever_moved_has_its_months_closed_too(acme: Company) -> None:
    assert close() == 1
    closing: Any = closing_of(acme, MARCH)
    assert (closing.company_closing, closing.members_closing) == (Decimal(0), Decimal(0))
    assert closing.figures["totals"] == []
    assert closing.figures["calls"]["calls_count"] == 0


def test_one_company_closes_without_the_other(acme: Company) -> None:
    other = make_company("Other", "charlie").company
    credit_company(other, "5", now=IN_MARCH)
    accounts = ensure_accounts(other)
    post_transfers(
        other.pk,
        [Move("purchase", accounts.purchases, accounts.company, Decimal(1), "purchase:x")],
        now=IN_MARCH,
    )
    turn_months(now=IN_APRIL)
    acme.refresh_from_db()
    close_company(acme, now=LATER)
    assert closing_of(acme, MARCH) is not None
    assert closing_of(other, MARCH) is None
