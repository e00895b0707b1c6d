"""The pages of statements: who opens which, what they tell, how they turn.

A line reads: amount, balance after (on phones, below it), balance before, balance after.
"""

import re

import pytest
from django.test import Client

from credit.call_rows import CallRow
from credit.calls import charge_calls
from credit.models import Rate
from members.models import Member
from skypemgr.lib.periods import utc_now
from tests.conftest import ClientOf, credit_company, give
from tests.credit_pages.conftest import post_call, query_count, words_of

NUMBER = "+33142276830"


@pytest.fixture
def busy(rich: Member, bob: Member) -> Member:
    """bob got 5, then 1, and called twice before and once after that, for 1 each."""
    Rate.objects.create(
        prefix="33", kind="other", price_per_minute=1, currency="EUR", valid_from="2020-01-01"
    )
    now = utc_now()
    rows = [CallRow("pbx", str(n), bob.pk, NUMBER, now, 60) for n in range(3)]
    give(rich, bob, "5")
    charge_calls(bob.company, rows[:2], now=now)
    give(rich, bob, "1")
    charge_calls(bob.company, rows[2:], now=now)
    return bob


def addresses(member: Member) -> dict[str, str]:
    return {
        "member": f"/members/{member.pk}/statement/",
        "own": "/me/statement/",
        "company": "/statement/",
    }


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("alice", {"member": 200, "own": 200, "company": 200}),
        ("fiona", {"member": 200, "own": 200, "company": 200}),
        ("bob", {"member": 403, "own": 200, "company": 403}),
        ("charlie", {"member": 404, "own": 200, "company": 200}),
    ],
)
def test_each_role_opens_its_statements(
    client_of: ClientOf,
    alice: Member,
    fiona: Member,
    charlie: Member,
    busy: Member,
    who: str,
    expected: dict[str, int],
) -> None:
    people = {"alice": alice, "fiona": fiona, "bob": busy, "charlie": charlie}
    client = client_of(people[who])
    found = {name: client.get(path).status_code for name, path in addresses(busy).items()}
    assert found == expected


def test_nothing_of_another_company_is_shown(
    client_of: ClientOf, charlie: Member, busy: Member
) -> None:
    words = words_of(client_of(charlie).get("/statement/"))
    assert "Bob" not in words
    assert "No movements yet" in words


def test_signed_out_people_are_led_to_sign_in(busy: Member) -> None:
    for path in addresses(busy).values():
        response = Client().get(path)
        assert (response.status_code, "login" in response["Location"]) == (302, True)


def test_nothing_can_be_sent_to_a_statement(desk: Client, busy: Member) -> None:
    for path in addresses(busy).values():
        assert desk.post(path).status_code == 405


def test_others_see_the_days_calls_as_one_line_without_a_number(desk: Client, busy: Member) -> None:
    page = desk.get(addresses(busy)["member"])
    words = words_of(page)
    assert "Opening balance €0.00 + In €6.00 − Out €3.00 = Balance now €3.00" in words
    assert words.count("Calls, 3 −€3.00 €3.00 €6.00 €3.00") == 1
    assert "Allocation by Alice +€1.00 €6.00 €5.00 €6.00" in words
    assert "+€5.00 €5.00 €0.00 €5.00" in words
    assert "counted at the end of the day" in words
    assert NUMBER not in words


def test_the_member_sees_each_own_call_with_its_number(client_of: ClientOf, busy: Member) -> None:
    words = words_of(client_of(busy).get("/me/statement/"))
    assert words.count(NUMBER) == 3
    assert f"{NUMBER} Call · 1 min 00 s −€1.00 €3.00 €4.00 €3.00" in words.replace("\u00a0", " ")
    assert "+€1.00 €4.00 €3.00 €4.00" in words


def test_the_companys_statement_names_and_links_who_received(desk: Client, busy: Member) -> None:
    page = desk.get("/statement/")
    words = words_of(page)
    assert "Bob Allocation · by Alice −€1.00 €194.00 €195.00 €194.00" in words
    assert "In €200.00 − Out €6.00 = Balance now €194.00" in words
    assert f'href="{addresses(busy)["member"]}"' in page.content.decode()


def test_pages_turn_to_older_and_back_and_chain(desk: Client, rich: Member, bob: Member) -> None:
    for _ in range(120):
        give(rich, bob, "1")
    path = addresses(bob)["member"]
    page = desk.get(path).content.decode()
    seen = [page]
    while older := re.search(r'rel="next" href="([^"]+)"', page):
        page = desk.get(path + older[1]).content.decode()
        seen.append(page)
    assert [len(re.findall(r"<tr>", page)) - 1 for page in seen] == [50, 50, 20]
    assert "Closing balance</dt><dd>€20.00" in seen[2]
    assert "Opening balance</dt><dd>€20.00" in seen[1]
    assert "Opening balance</dt><dd>€0.00" in seen[2]
    newer = re.search(r'rel="prev" href="([^"]+)"', seen[2])
    assert newer is not None
    back = desk.get(path + newer[1]).content.decode()
    assert "Closing balance</dt><dd>€70.00" in back
    newest = re.search(r'rel="prev" href="([^"]+)"', back)
    assert newest is not None
    # The last step leads to the newest page itself, which follows what happens.
    assert desk.get(path + newest[1]).headers["Location"] == path


def test_only_the_newest_page_follows_what_happens(desk: Client, rich: Member, bob: Member) -> None:
    for _ in range(51):
        give(rich, bob, "1")
    path = addresses(bob)["member"]
    page = desk.get(path).content.decode()
    assert f'id="statement" hx-get="{path}"' in page
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    assert 'id="statement" hx-get' not in desk.get(path + older[1]).content.decode()


@pytest.mark.parametrize("cursor", ["n999", "x", "%00", "p-1"])
def test_an_address_that_names_no_page_leads_to_the_newest(
    desk: Client, busy: Member, cursor: str
) -> None:
    for path in addresses(busy).values():
        assert desk.get(f"{path}?page={cursor}").headers["Location"] == path


def test_a_longer_statement_needs_no_more_queries(
    desk: Client, client_of: ClientOf, rich: Member, busy: Member
) -> None:
    pages = [(desk, addresses(busy)["member"]), (desk, "/statement/")]
    pages.append((client_of(busy), "/me/statement/"))
    before = [query_count(client, path) for client, path in pages]
    for _ in range(9):
        give(rich, busy, "1")
        post_call(busy, "0.5")
    assert [query_count(client, path) for client, path in pages] == before


def test_the_tab_and_the_links_lead_there(desk: Client, client_of: ClientOf, busy: Member) -> None:
    paths = addresses(busy)
    assert f'href="{paths["member"]}"' in desk.get(f"/members/{busy.pk}/credit/").content.decode()
    assert 'href="/statement/"' in desk.get("/").content.decode()
    assert 'href="/me/statement/"' in client_of(busy).get("/me/").content.decode()


def test_a_company_without_movements_is_told_so(client_of: ClientOf, alice: Member) -> None:
    assert "No movements yet" in words_of(client_of(alice).get("/statement/"))
    credit_company(alice.company, "1")
    assert "Purchase" in words_of(client_of(alice).get("/statement/"))
