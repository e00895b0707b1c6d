"""Ticks across pages, and what is done with all that the filters leave."""

import re
from decimal import Decimal

import pytest
from django.test import Client

from credit.accounts import company_balance
from credit.choosing import why_too_many
from credit.models import RechargeRule, Transfer
from members.models import AuditEntry, Member
from tests.conftest import ClientOf, make_member
from tests.credit_pages.conftest import balance_of, moved, words_of
from tests.credit_pages.test_members_table import put_in_list

ACTIONS = ("credit", "auto-recharge", "move", "suspend", "reactivate", "remove")


@pytest.fixture
def many(rich: Member) -> list[Member]:
    """Sixty more members; the last one has left."""
    people = [make_member(rich.company, f"m{number:02}") for number in range(60)]
    Member.objects.filter(pk=people[-1].pk).update(status=Member.Status.LEFT)
    return people


def hidden(client: Client, address: str) -> dict[str, str]:
    """The hidden fields of the page's form."""
    content = client.get(address).content.decode()
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', content)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def test_the_page_offers_all_that_match_and_carries_the_filters(
    desk: Client, many: list[Member]
) -> None:
    page = desk.get("/members/?role=member&below=5&sort=-name")
    assert "Tick all 59 matching" in words_of(page)
    ticked = desk.get(page.context["tick_every_url"])
    words = words_of(ticked)
    assert "All 59 matching members are ticked, on every page. Untick all" in words
    assert "59 selected" in words
    content = ticked.content.decode()
    for field in ('name="every" value="1"', 'name="role" value="member"', 'name="below" value="5"'):
        assert f'<input type="hidden" {field}>' in content
    # A box that could be unticked would be a promise that nobody keeps.
    assert 'name="member"' not in content
    assert ticked.context["page"].place.number == 1


def test_without_script_a_link_ticks_the_page(desk: Client, many: list[Member]) -> None:
    content = desk.get("/members/?ticked=page&role=member").content.decode()
    assert content.count(" data-tick checked") == 50


def test_nothing_across_pages_is_offered_where_all_are_on_one(desk: Client, bob: Member) -> None:
    assert "Tick all" not in words_of(desk.get("/members/"))


def test_credit_goes_to_all_that_match_once(desk: Client, rich: Member, many: list[Member]) -> None:
    address = "/members/credit/?every=1&role=member&below=5"
    assert "59 members Role: Member Balance below €5.00" in words_of(desk.get(address))
    form = hidden(desk, address) | {"amount": "3"}
    assert form["shown_count"] == "59"
    desk.post(address, form)
    assert company_balance(rich.company) == Decimal(200 - 3 * 59)
    assert {balance_of(member) for member in many[:-1]} == {Decimal(3)}
    assert balance_of(many[-1]) == 0
    again = words_of(desk.post(address, form, follow=True))
    assert "€3.00 added to the accounts of 59 members, €177.00 in all." in again
    assert company_balance(rich.company) == Decimal(200 - 3 * 59)


def test_a_repeated_form_is_answered_even_if_nobody_fits_any_more(
    desk: Client, rich: Member, bob: Member
) -> None:
    address = "/members/credit/?every=1&role=member&below=2"
    form = hidden(desk, address) | {"amount": "3"}
    desk.post(address, form)
    assert desk.get("/members/?role=member&below=2").context["totals"].count == 0
    again = words_of(desk.post(address, form, follow=True))
    assert "€3.00 added to 1 member's account." in again
    assert balance_of(bob) == 3
    other = desk.post(address, form | {"amount": "4"}, follow=True)
    assert "Nobody in the company fits these filters." in words_of(other)
    assert balance_of(bob) == 3


@pytest.mark.parametrize("action", ["credit", "auto-recharge", "move", "suspend", "remove"])
def test_a_number_that_changed_meanwhile_is_asked_again(
    desk: Client, rich: Member, bob: Member, action: str
) -> None:
    address = f"/members/{action}/?every=1&role=member"
    form = hidden(desk, address)
    form |= {"amount": "1", "threshold": "1", "monthly_limit": "5", "new_list": "New"}
    make_member(rich.company, "carol")
    before = moved(rich.company), AuditEntry.objects.count()
    response = desk.post(address, form)
    assert response.status_code == 422
    assert "Meanwhile they are 2 members." in words_of(response)
    assert (moved(rich.company), AuditEntry.objects.count()) == before
    assert Member.objects.get(pk=bob.pk).status == "active"
    assert not RechargeRule.objects.exists()
    again = hidden(desk, address) | {name: form[name] for name in form if name != "shown_count"}
    again["shown_count"] = "2"
    assert desk.post(address, again).status_code == 302


def test_rules_are_set_for_all_that_match(desk: Client, rich: Member, many: list[Member]) -> None:
    address = "/members/auto-recharge/?every=1&role=member"
    terms = {"amount": "1", "threshold": "1", "monthly_limit": "2", "shown_count": "59"}
    headers = {"HX-Request": "true", "HX-Target": "rule-preview"}
    preview = desk.get(f"{address}&amount=1&threshold=1&monthly_limit=2", headers=headers)
    assert "59" in words_of(preview)
    assert desk.post(address, terms).status_code == 302
    assert RechargeRule.objects.filter(is_on=True).count() == 59
    assert Transfer.objects.filter(kind="auto_recharge").count() == 59


def test_all_that_match_move_to_a_new_list(desk: Client, rich: Member, many: list[Member]) -> None:
    address = "/members/move/?every=1&role=member&status=all"
    words = words_of(desk.get(address))
    assert "59 members" in words
    assert "1 member is no longer in the company." in words
    form = hidden(desk, address) | {"new_list": "Everybody", "list": ""}
    done = words_of(desk.post(address, form, follow=True))
    assert "59 members moved to Everybody." in done
    assert Member.objects.filter(list__name="Everybody").count() == 59
    assert Member.objects.get(pk=many[-1].pk).list is None


def test_suspending_and_taking_back_tell_whom_it_does_not_concern(
    desk: Client, rich: Member, many: list[Member]
) -> None:
    Member.objects.filter(pk=many[0].pk).update(status="suspended")
    address = "/members/suspend/?every=1&status=all"
    words = words_of(desk.get(address))
    assert "Suspend 58 members" in words
    assert "1 member is suspended already." in words
    assert "1 member is no longer in the company." in words
    assert "You yourself are left out: somebody has to administer the company." in words
    done = words_of(desk.post(address, hidden(desk, address), follow=True))
    assert "58 members are suspended." in done
    assert Member.objects.get(pk=rich.pk).status == "active"
    address = "/members/reactivate/?every=1&q=m0"
    done = words_of(desk.post(address, hidden(desk, address), follow=True))
    assert "10 members are active again." in done
    assert Member.objects.filter(company=rich.company, status="suspended").count() == 49
    assert "Nobody here is suspended." in words_of(desk.get(address))


def test_removing_tells_what_stays_and_spares_whoever_acts(
    desk: Client, rich: Member, bob: Member
) -> None:
    address = "/members/credit/?every=1&role=member"
    desk.post(address, hidden(desk, address) | {"amount": "7"})
    address = "/members/remove/?every=1"
    words = words_of(desk.get(address))
    assert "€7.00 of credit stay with them" in words
    assert "Remove 1 member" in words
    done = words_of(desk.post(address, hidden(desk, address), follow=True))
    assert "1 member was removed." in done
    assert Member.objects.get(pk=bob.pk).status == "removed"
    assert Member.objects.get(pk=rich.pk).status == "active"
    assert balance_of(bob) == 7
    assert "Nobody can be removed here." in words_of(desk.get(address))


def test_ticked_members_are_acted_on_alone(desk: Client, rich: Member, many: list[Member]) -> None:
    ticks = f"member={many[0].pk}&member={many[1].pk}"
    for action, status in (("suspend", "suspended"), ("reactivate", "active")):
        address = f"/members/{action}/?{ticks}"
        assert desk.post(address, hidden(desk, address)).status_code == 302
        chosen = Member.objects.filter(pk__in=[many[0].pk, many[1].pk])
        assert set(chosen.values_list("status", flat=True)) == {status}
    assert Member.objects.filter(company=rich.company, status="active").count() == 60
    for action in ("suspend", "reactivate", "remove", "move"):
        assert desk.get(f"/members/{action}/")["Location"] == "/members/"


def test_more_than_can_be_changed_at_once_is_said_instead_of_a_button(
    desk: Client, rich: Member, many: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credit.choosing.AT_ONCE", 50)
    before = moved(rich.company)
    for action in ACTIONS:
        address = f"/members/{action}/?every=1&role=member"
        if action == "reactivate":
            continue
        words = words_of(desk.get(address))
        assert "At most 50 can be changed at once: narrow them with the filters" in words, action
        form = {"shown_count": "59", "amount": "1", "threshold": "1", "monthly_limit": "1"}
        if action != "credit":
            desk.post(address, form | {"new_list": "New"})
    assert moved(rich.company) == before
    assert Member.objects.filter(company=rich.company, status="active").count() == 60
    assert not Member.objects.filter(list__isnull=False).exists()
    assert why_too_many(50) == ""


@pytest.mark.parametrize("action", ACTIONS)
def test_finance_members_and_others_cannot_act(
    client_of: ClientOf, rich: Member, bob: Member, fiona: Member, charlie: Member, action: str
) -> None:
    address = f"/members/{action}/?every=1"
    for member in (bob, fiona):
        assert client_of(member).get(address).status_code == 403
        assert client_of(member).post(address, {"shown_count": "3"}).status_code == 403
    assert client_of(charlie).get(f"/members/{action}/?member={bob.pk}").status_code == 404
    statuses = Member.objects.filter(company=rich.company).values_list("status", flat=True)
    assert set(statuses) == {"active"}


def test_another_companys_filters_reach_its_own_members_alone(
    client_of: ClientOf, rich: Member, bob: Member, charlie: Member
) -> None:
    make_member(charlie.company, "dora")
    sales = put_in_list(rich, "Sales", bob)
    client = client_of(charlie)
    assert "Remove 1 member" in words_of(client.get("/members/remove/?every=1"))
    address = "/members/remove/?every=1"
    client.post(address, hidden(client, address))
    assert Member.objects.get(pk=bob.pk).status == "active"
    of_list = client.get(f"/members/suspend/?every=1&list={sales.pk}")
    assert "Nobody can be suspended here." in words_of(of_list)
