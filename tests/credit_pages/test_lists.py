"""The lists with balances."""

from collections.abc import Callable

from members.actors import Actor
from members.lists import create_list, move_members
from members.models import Member
from tests.conftest import ClientOf, credit_company, give, make_member

PAGE = "/members/lists/"


def test_each_list_has_its_members_balance_and_the_rest_is_in_none(
    alice: Member, bob: Member, fiona: Member, client_of: ClientOf
) -> None:
    credit_company(alice.company, "100")
    give(alice, bob, "12.50")
    give(alice, fiona, "2")
    sales = create_list(actor=Actor.of_member(alice), name="Sales")
    create_list(actor=Actor.of_member(alice), name="Empty")
    move_members(actor=Actor.of_member(alice), member_ids=[bob.pk], list_id=sales.pk)
    page = client_of(alice).get(PAGE)
    table = page.context["table"]
    assert [(row.name, row.members_count, row.balance) for row in table.rows] == [
        ("Empty", 0, 0),
        ("Sales", 1, 12.5),
    ]
    assert (table.without.members_count, table.without.balance) == (2, 2)
    assert (table.total.members_count, table.total.balance) == (3, 14.5)
    words = page.content.decode()
    assert f"/members/credit/?list={sales.pk}" in words
    assert f"/members/auto-recharge/?list={sales.pk}" in words


def test_finance_reads_and_changes_nothing(
    alice: Member, bob: Member, fiona: Member, charlie: Member, client_of: ClientOf
) -> None:
    create_list(actor=Actor.of_member(alice), name="Sales")
    words = client_of(fiona).get(PAGE).content.decode()
    assert "Sales" in words
    assert "/archive/" not in words
    assert client_of(bob).get(PAGE).status_code == 403
    assert "Sales" not in client_of(charlie).get(PAGE).content.decode()


def test_twenty_lists_take_as_many_queries_as_one(
    alice: Member,
    client_of: ClientOf,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    for number in range(20):
        made = create_list(actor=Actor.of_member(alice), name=f"List {number}")
        member = make_member(alice.company, f"person{number}")
        move_members(actor=Actor.of_member(alice), member_ids=[member.pk], list_id=made.pk)
    client = client_of(alice)
    client.get(PAGE)
    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        assert "List 19" in client.get(PAGE).content.decode()
