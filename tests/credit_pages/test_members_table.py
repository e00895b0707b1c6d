"""The members table: who has how much, found by name, address or phone."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from credit.accounts import company_balance
from credit.allocation import Recipients
from credit.rules import RuleTerms, save_rules, switch_off_rule
from members.actors import Actor
from members.lists import create_list
from members.models import Company, Member, MemberList
from skypemgr.lib.formats import format_date
from skypemgr.lib.periods import utc_now
from tests.conftest import ClientOf, give, make_member
from tests.credit_pages.conftest import post_call, query_count, words_of

TABLE = {"HX-Request": "true", "HX-Target": "members-table"}


def names_of(client: Client, query: str = "") -> list[str]:
    return [row.name for row in client.get(f"/members/{query}").context["page"].rows]


def rename(member: Member, name: str, phone: str = "") -> None:
    member.name, member.work_phone = name, phone
    member.set_name_keys()
    member.save(update_fields=("name", "work_phone", "name_key", "search_text"))


def put_in_list(administrator: Member, name: str, *members: Member) -> MemberList:
    found = create_list(actor=Actor.of_member(administrator), name=name)
    for member in members:
        member.list = found
        member.save(update_fields=("list",))
    return found


def set_rule(administrator: Member, member: Member, limit: str = "40") -> None:
    save_rules(
        actor=Actor.of_member(administrator),
        recipients=Recipients(member_ids=(member.pk,)),
        terms=RuleTerms(Decimal(10), Decimal(5), Decimal(limit)),
    )


def test_balances_rules_and_spending_stand_beside_the_names(
    desk: Client, rich: Member, bob: Member, fiona: Member
) -> None:
    put_in_list(rich, "Sales", bob)
    set_rule(rich, bob)
    post_call(bob, "2.5")
    words = words_of(desk.get("/members/"))
    day = bob.company.day_at(utc_now())
    today = format_date(day, today=day)
    assert f"B Bob bob@example.com Sales Member €7.50 On €2.50 {today}" in words
    assert "F Fiona fiona@example.com Not in a list Finance €0.00 None €0.00 Never" in words
    assert "3 members €7.50 €2.50" in words


def test_the_page_leads_to_invitations_and_new_accounts(desk: Client) -> None:
    words = words_of(desk.get("/members/"))
    assert "Create an account" in words
    assert "Invite members" in words


@pytest.mark.parametrize(
    "typed", ["élodie", "ELODIE", "duPre", "elodie dupre", "dupre%20elodie", "bob@exam", "bob"]
)
def test_search_ignores_accents_and_case_and_order(desk: Client, bob: Member, typed: str) -> None:
    rename(bob, "Élodie Dupré")
    assert names_of(desk, f"?q={typed}") == ["Élodie Dupré"]


def test_a_search_without_meaning_is_a_search_for_nothing(desk: Client, bob: Member) -> None:
    assert "Bob" in names_of(desk, "?q=%00")


@pytest.mark.parametrize("typed", ["142276830", "01 42 27", "%2B33142"])
def test_a_phone_number_is_found_however_it_is_grouped(
    desk: Client, bob: Member, typed: str
) -> None:
    rename(bob, "Bob", phone="+33142276830")
    assert names_of(desk, f"?q={typed}") == ["Bob"]


def test_a_search_for_nobody_says_so(desk: Client, bob: Member) -> None:
    words = words_of(desk.get("/members/?q=100%25_"))
    assert "Nobody found" in words
    assert "Show all members" in words


def test_live_search_answers_with_the_table_alone(desk: Client, bob: Member) -> None:
    response = desk.get("/members/?q=bob", headers=TABLE)
    content = response.content.decode().strip()
    assert content.startswith('<form id="members-table"')
    assert "<html" not in content
    assert "Bob" in content
    assert "Alice" not in content


def test_a_refresh_keeps_the_ticks_and_forgets_them_in_its_address(
    desk: Client, bob: Member
) -> None:
    content = desk.get(f"/members/?q=b&member={bob.pk}", headers=TABLE).content.decode()
    assert f'value="{bob.pk}" data-tick checked' in content
    assert 'hx-get="/members/?q=b"' in content


def test_lists_and_states_narrow_the_table(desk: Client, rich: Member, bob: Member) -> None:
    sales = put_in_list(rich, "Sales", bob)
    carol = make_member(bob.company, "carol")
    Member.objects.filter(pk=carol.pk).update(status=Member.Status.SUSPENDED)
    dave = make_member(bob.company, "dave")
    Member.objects.filter(pk=dave.pk).update(status=Member.Status.LEFT)
    assert names_of(desk) == ["Alice", "Bob", "Carol"]
    assert names_of(desk, f"?list={sales.pk}") == ["Bob"]
    assert names_of(desk, "?list=none") == ["Alice", "Carol"]
    assert names_of(desk, "?status=suspended") == ["Carol"]
    assert names_of(desk, "?status=gone") == ["Dave"]
    assert names_of(desk, "?status=all") == ["Alice", "Bob", "Carol", "Dave"]
    assert names_of(desk, "?status=nonsense&list=x&sort=y&page=z") == ["Alice", "Bob", "Carol"]


def test_names_sort_without_accents_and_balances_by_amount(
    desk: Client, rich: Member, bob: Member
) -> None:
    rename(bob, "Ásta")
    zoe = make_member(bob.company, "zoe")
    give(rich, zoe, "3")
    give(rich, bob, "20")
    assert names_of(desk) == ["Alice", "Ásta", "Zoe"]
    assert names_of(desk, "?sort=-name") == ["Zoe", "Ásta", "Alice"]
    assert names_of(desk, "?sort=balance") == ["Alice", "Zoe", "Ásta"]
    assert names_of(desk, "?sort=-balance") == ["Ásta", "Zoe", "Alice"]


def test_each_state_of_a_rule_has_its_word(
    desk: Client, rich: Member, bob: Member, team: Callable[[int], list[Member]]
) -> None:
    suspended, waiting, off = team(3)
    set_rule(rich, bob)
    set_rule(rich, suspended, limit="10")
    set_rule(rich, off)
    switch_off_rule(actor=Actor.of_member(rich), member_id=off.pk)
    give(rich, bob, str(company_balance(rich.company)))
    set_rule(rich, waiting)
    rows = {row.name: row.rule_state for row in desk.get("/members/").context["page"].rows}
    assert rows["Bob"] == "on"
    assert rows[suspended.name] == "suspended"
    assert rows[waiting.name] == "waiting"
    assert rows[off.name] == "off"
    assert "Suspended until 1 " in words_of(desk.get("/members/"))


def test_pages_hold_fifty_and_totals_count_everybody(
    desk: Client, rich: Member, team: Callable[[int], list[Member]]
) -> None:
    people = team(55)
    give(rich, people[54], "3")
    first = words_of(desk.get("/members/"))
    assert "56 members €3.00" in first
    assert "1 to 50 of 56" in first
    assert len(names_of(desk, "?page=2")) == 6
    assert len(names_of(desk, "?page=99")) == 6


def test_the_number_of_queries_does_not_grow_with_the_members(
    desk: Client, rich: Member, bob: Member, team: Callable[[int], list[Member]]
) -> None:
    few = query_count(desk, "/members/")
    sales = put_in_list(rich, "Sales", *team(30))
    for member in Member.objects.filter(list=sales):
        give(rich, member, "1")
    assert query_count(desk, "/members/") == few
    assert few <= 14


def test_finance_reads_the_table_without_ticking(
    client_of: ClientOf, bob: Member, fiona: Member
) -> None:
    response = client_of(fiona).get("/members/")
    words = words_of(response)
    assert "Bob" in words
    for word in ("Invite members", "Create an account", "Manage credit"):
        assert word not in words
    assert 'name="member"' not in response.content.decode()


def test_a_member_may_not_open_the_table(client_of: ClientOf, bob: Member) -> None:
    assert client_of(bob).get("/members/").status_code == 403


def test_another_company_sees_its_own_members_alone(
    client_of: ClientOf, rich: Member, bob: Member, charlie: Member
) -> None:
    sales = put_in_list(rich, "Sales", bob)
    client = client_of(charlie)
    assert names_of(client) == ["Charlie"]
    assert names_of(client, f"?list={sales.pk}") == []
    assert names_of(client, "?q=bob") == []


def test_nobody_signed_in_is_sent_to_sign_in(client: Client, acme: Company) -> None:
    assert client.get("/members/")["Location"].startswith("/accounts/login/")
    fragment = client.get("/members/", headers=TABLE)
    assert fragment["HX-Redirect"].startswith("/accounts/login/")


def test_a_whole_list_or_everybody_is_one_click_away_and_a_search_is_not(
    desk: Client, rich: Member, bob: Member
) -> None:
    sales = put_in_list(rich, "Sales", bob)
    everybody = desk.get("/members/").content.decode()
    assert "/members/credit/?all=1" in everybody
    assert "/members/auto-recharge/?all=1" in everybody
    of_list = desk.get(f"/members/?list={sales.pk}").content.decode()
    assert f"/members/credit/?list={sales.pk}" in of_list
    assert "all=1" not in of_list
    assert "all=1" not in desk.get("/members/?q=bob").content.decode()


def test_a_credit_page_is_one_click_from_the_table(desk: Client, bob: Member) -> None:
    assert f'href="/members/{bob.pk}/credit/"' in desk.get("/members/").content.decode()
