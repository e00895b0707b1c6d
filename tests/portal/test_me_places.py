"""My account after leaving: the own former places, never anybody else's, never two mixed."""

import pytest
from django.test import Client

from billing.leaving import leave_company, remove_members
from members.actors import Actor
from members.invitations import accept_waiting_invitation, invite_members, waiting_invitations
from members.models import Member
from tests.conftest import ClientOf, credit_company, give, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _credit(alice: Member, bob: Member) -> None:
    credit_company(alice.company, "100")
    give(alice, bob, "20")


def of(member: Member) -> Actor:
    return Actor.of_member(Member.objects.select_related("company", "user").get(pk=member.pk))


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def join_other(bob: Member, charlie: Member) -> Member:
    invite_members(actor=of(charlie), way="email", addresses=["bob@example.com"])
    invitation = waiting_invitations(bob.user).get()
    return accept_waiting_invitation(pk=invitation.pk, user=bob.user)


def test_whoever_was_removed_still_sees_balance_and_statement(
    alice: Member, bob: Member, client_of: ClientOf
) -> None:
    client = client_of(bob)
    remove_members(actor=of(alice), member_ids=[bob.pk])
    for path in ("/me/", f"/me/?place={bob.pk}"):
        page = text(client, path)
        assert "€20.00" in page
        assert "Nothing is added any more" in page
        assert "/me/request/" not in page
        assert "/me/leave/" not in page
    assert "€20.00" in text(client, "/me/statement/")


def test_a_login_without_a_place_lands_where_it_can_join_name_a_company_or_look_back(
    alice: Member, bob: Member, charlie: Member, client_of: ClientOf
) -> None:
    invite_members(actor=of(charlie), way="email", addresses=["bob@example.com"])
    client = client_of(bob)
    leave_company(actor=of(bob))
    answer = client.get("/", follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0] == "/company/new/"
    assert f'href="/me/?place={bob.pk}"' in page
    assert "Other" in page
    assert "Create the company" in page


@pytest.mark.parametrize("path", ["/me/request/", "/me/leave/", "/members/", "/settings/"])
def test_a_former_member_can_ask_for_nothing_and_reads_nothing_else(
    path: str, bob: Member, client_of: ClientOf
) -> None:
    client = client_of(bob)
    leave_company(actor=of(bob))
    for answer in (client.get(path), client.post(path, {"amount": "1", "reason": "x"})):
        assert answer.status_code in (302, 405)
        assert answer.status_code == 405 or answer["Location"] == "/company/new/"


def test_two_companies_have_two_purses_that_are_never_mixed(
    alice: Member, bob: Member, charlie: Member, client_of: ClientOf
) -> None:
    leave_company(actor=of(bob))
    new = join_other(bob, charlie)
    credit_company(new.company, "50")
    give(charlie, new, "3")
    client = client_of(new)
    now, old = text(client, "/me/"), text(client, f"/me/?place={bob.pk}")
    assert "€3.00" in now
    assert "€20.00" not in now
    assert f'href="/me/?place={bob.pk}"' in now
    assert "€20.00" in old
    own = old.split('<main id="main"')[1]
    assert "€3.00" not in own
    assert 'data-live="balance"' not in own
    statement = text(client, f"/me/statement/?place={bob.pk}").split('<main id="main"')[1]
    assert "€20.00" in statement
    assert "€3.00" not in statement
    assert f'href="/me/?place={bob.pk}"' in statement


def test_pages_of_a_former_statement_stay_with_it(
    alice: Member, bob: Member, charlie: Member, client_of: ClientOf
) -> None:
    for _turn in range(60):
        give(alice, bob, "0.5")
    leave_company(actor=of(bob))
    new = join_other(bob, charlie)
    page = text(client_of(new), f"/me/statement/?place={bob.pk}")
    assert f'href="?place={bob.pk}&amp;page=' in page
    broken = client_of(new).get(f"/me/statement/?place={bob.pk}&page=nonsense")
    assert broken["Location"] == f"/me/statement/?place={bob.pk}"


def test_another_persons_place_is_not_found(
    alice: Member, bob: Member, charlie: Member, client_of: ClientOf
) -> None:
    dora = make_member(alice.company, "dora")
    leave_company(actor=of(dora))
    client = client_of(bob)
    for wrong in (alice.pk, charlie.pk, dora.pk, 0, 10**30, "x", "²", "1 OR 1"):
        for path in ("/me/", "/me/statement/"):
            assert client.get(path, {"place": str(wrong)}).status_code == 404


def test_the_present_place_needs_no_switch(bob: Member, client_of: ClientOf) -> None:
    page = text(client_of(bob), "/me/")
    assert "?place=" not in page
    assert "/me/leave/" in page
