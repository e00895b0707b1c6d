"""The list and cost centre of a member by day."""

from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from members.actors import Actor
from members.details import update_member
from members.invitations import accept_waiting_invitation, invite_members
from members.joining import create_member
from members.lists import create_list
from members.models import Company, Invitation, Member, MemberList, MemberPlacement
from members.placement import note_placement, placement_on
from skypemgr.lib.periods import utc_now
from tests.conftest import make_company, make_member, make_user

pytestmark = pytest.mark.django_db


def in_days(count: int) -> datetime:
    return utc_now() + timedelta(days=count)


def day(count: int, company: Company) -> date:
    return company.day_at(in_days(count))


def rows(member: Member) -> list[tuple[int | None, str]]:
    found = MemberPlacement.objects.filter(member=member).order_by("valid_from")
    return list(found.values_list("list_id", "cost_centre"))


@pytest.fixture
def sales(alice: Member) -> MemberList:
    return create_list(actor=Actor.of_member(alice), name="Sales")


def move(alice: Member, member: Member, count: int = 0, **fields: object) -> None:
    update_member(actor=Actor.of_member(alice), member=member, now=in_days(count), **fields)


def test_whoever_joins_is_placed_from_that_day_on(alice: Member, sales: MemberList) -> None:
    member = create_member(
        actor=Actor.of_member(alice), email="dora@example.com", name="Dora", list=sales
    )
    assert rows(member) == [(sales.pk, "")]
    placement = placement_on(member, day(0, alice.company))
    assert placement is not None
    assert placement.list == sales
    assert rows(alice) == [(None, "")]


def test_whoever_accepts_an_invitation_is_placed_in_its_list(
    alice: Member, sales: MemberList
) -> None:
    user = make_user("dora")
    invite_members(
        actor=Actor.of_member(alice), way="email", addresses=[user.email], list_id=sales.pk
    )
    member = accept_waiting_invitation(pk=Invitation.objects.get().pk, user=user)
    assert rows(member) == [(sales.pk, "")]


def test_the_list_of_a_past_day_is_that_of_the_latest_change_before_it(
    alice: Member, bob: Member, sales: MemberList
) -> None:
    move(alice, bob, 3, list=sales)
    move(alice, bob, 5, cost_centre="C 7")
    move(alice, bob, 9, list=None)
    found = [placement_on(bob, day(count, bob.company)) for count in (0, 2, 3, 4, 5, 8, 9, 400)]
    assert [(row.list_id, row.cost_centre) for row in found if row] == [
        (None, ""),
        (None, ""),
        (sales.pk, ""),
        (sales.pk, ""),
        (sales.pk, "C 7"),
        (sales.pk, "C 7"),
        (None, "C 7"),
        (None, "C 7"),
    ]


def test_a_later_change_of_the_same_day_replaces(
    alice: Member, bob: Member, sales: MemberList
) -> None:
    move(alice, bob, 3, list=sales)
    move(alice, bob, 3, cost_centre="A")
    move(alice, bob, 3, list=None, cost_centre="B")
    assert rows(bob) == [(None, ""), (None, "B")]


def test_a_change_on_the_first_day_leaves_the_days_before_it_as_they_were(
    alice: Member, bob: Member, sales: MemberList
) -> None:
    move(alice, bob, list=sales)
    assert rows(bob) == [(sales.pk, "")]
    move(alice, bob, cost_centre="A")
    move(alice, bob, list=None, cost_centre="B")
    found = [placement_on(bob, day(count, bob.company)) for count in (-900, -1, 0, 1)]
    assert [(row.list_id, row.cost_centre) for row in found if row] == [
        (sales.pk, ""),
        (sales.pk, ""),
        (None, "B"),
        (None, "B"),
    ]
    assert rows(bob) == [(sales.pk, ""), (None, "B")]


def test_other_changes_and_refused_ones_leave_no_row(
    alice: Member, bob: Member, charlie: Member
) -> None:
    theirs = create_list(actor=Actor.of_member(charlie), name="Theirs")
    move(alice, bob, 3, job_title="Seller", name="Robert")
    with pytest.raises(Exception, match="Choose a list"):
        move(alice, bob, 3, list=theirs)
    assert rows(bob) == [(None, "")]


def test_before_the_first_row_the_first_one_holds(alice: Member, bob: Member) -> None:
    placement = placement_on(bob, day(-900, bob.company))
    assert placement is not None
    assert placement.valid_from == day(0, bob.company)
    MemberPlacement.objects.filter(member=bob).delete()
    assert placement_on(bob, day(0, bob.company)) is None


def test_the_day_is_that_of_the_companys_zone(alice: Member) -> None:
    kiwi = make_company("Kiwi", "kim", time_zone="Pacific/Auckland")
    MemberPlacement.objects.filter(member=kiwi).delete()
    note_placement(kiwi, now=datetime(2026, 3, 10, 12, tzinfo=UTC))
    assert MemberPlacement.objects.get(member=kiwi).valid_from == date(2026, 3, 11)


def test_a_clock_that_goes_back_never_changes_a_later_day_into_an_older_one(
    alice: Member, bob: Member
) -> None:
    move(alice, bob, 3, cost_centre="new")
    move(alice, bob, 1, cost_centre="newer")
    assert rows(bob) == [(None, ""), (None, "newer")]


def test_the_database_refuses_another_companys_list_and_a_second_row_a_day(
    bob: Member, charlie: Member
) -> None:
    theirs = create_list(actor=Actor.of_member(charlie), name="Theirs")
    at = MemberPlacement.objects.get(member=bob)
    for name, fields in (
        ("placement_once_a_day", {"valid_from": at.valid_from}),
        ("placement_list_of_same_company", {"list": theirs}),
        ("placement_member_of_same_company", {"company": charlie.company}),
    ):
        values = {"company": bob.company, "member": bob, "valid_from": date(2040, 1, 1), **fields}
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            MemberPlacement.objects.create(**values)


def test_members_from_before_are_placed_where_they_are_from_the_day_they_joined(
    alice: Member, bob: Member, sales: MemberList
) -> None:
    MemberPlacement.objects.all().delete()
    joined = datetime(2025, 6, 30, 23, tzinfo=UTC)
    Member.objects.filter(pk=bob.pk).update(joined_at=joined, list=sales, cost_centre="C")
    with connection.cursor() as cursor:
        cursor.execute(import_module("members.migrations.0005_placements").FILL)
    row = MemberPlacement.objects.get(member=bob)
    assert (row.valid_from, row.list_id, row.cost_centre) == (date(2025, 7, 1), sales.pk, "C")
    assert MemberPlacement.objects.filter(member=alice).count() == 1


@settings(max_examples=25, deadline=None)
@given(moves=st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ABC")), max_size=8))
def test_any_history_reads_back_as_it_was_lived(moves: list[tuple[int, str]]) -> None:
    with transaction.atomic():
        alice = make_company("Acme", "alice")
        bob = make_member(alice.company, "bob")
        lived: dict[int, str] = {}
        for count, centre in sorted(moves, key=lambda made: made[0]):
            move(alice, bob, count, cost_centre=centre)
            lived[count] = centre
        expected = ""
        for count in range(14):
            expected = lived.get(count, expected)
            placement = placement_on(bob, day(count, alice.company))
            assert placement is not None
            assert placement.cost_centre == expected
        assert len(rows(bob)) <= 1 + len(set(lived))
        transaction.set_rollback(True)
