"""The Activity tab: everything about one member, newest first, nothing about anybody else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.leaving import remove_members
from credit.allocation import Recipients
from credit.credit_requests import approve_request, request_credit
from credit.rules import RuleTerms, save_rules
from credit.standing import reactivate_members, suspend_members
from members.actors import Actor
from members.audit_log import WORDS
from members.details import update_member
from members.invitations import accept_invitation
from members.lists import archive_list, create_list, move_members
from members.models import AuditEntry, Member
from tests.api.conftest import Api, refused
from tests.api.conftest import api as api  # noqa: PLC0414
from tests.conftest import ClientOf, credit_company, give, make_member, make_user
from tests.credit_pages.conftest import words_of
from tests.members.conftest import Invite
from tests.members.conftest import invite as invite  # noqa: PLC0414
from tests.members.conftest import outbox as outbox  # noqa: PLC0414


def page_of(member: Member) -> str:
    """The address of the member's tab."""
    return f"/members/{member.pk}/activity/"


@pytest.fixture
def eventful(alice: Member, bob: Member) -> Member:
    """Bob, who was changed, given credit and a rule, and asked for more."""
    actor = Actor.of_member(alice)
    credit_company(alice.company, 100)
    update_member(actor=actor, member=bob, job_title="Pilot")
    give(alice, bob, "7.50")
    terms = RuleTerms(Decimal(5), Decimal(10), Decimal(40))
    save_rules(actor=actor, recipients=Recipients(member_ids=(bob.pk,)), terms=terms)
    wish = request_credit(actor=Actor.of_member(bob), amount=Decimal(20), reason="A trip")
    approve_request(actor=actor, request_id=wish.pk)
    return bob


def test_an_administrator_reads_what_happened_newest_first(
    client_of: ClientOf, alice: Member, eventful: Member
) -> None:
    page = words_of(client_of(alice).get(page_of(eventful)))
    told = [
        "€20.00 were granted",
        "Asked for €20.00",
        "Set auto-recharge",
        "Received €7.50",
        "Changed a member's details",
        "Joined the company",
    ]
    places = [page.index(words) for words in told]
    assert places == sorted(places)
    assert "A trip" in page
    assert "Job title: Pilot" in page
    assert "Recharged with €5.00" in page


def test_finance_reads_credit_and_status_only(
    client_of: ClientOf, fiona: Member, eventful: Member
) -> None:
    page = words_of(client_of(fiona).get(page_of(eventful)))
    for words in ("Received €7.50", "Set auto-recharge", "Recharged with", "Joined the company"):
        assert words in page
    for words in ("A trip", "Pilot", "Asked for", "Signed in last"):
        assert words not in page


def test_nobody_else_reads_it(
    client_of: ClientOf, api: Api, eventful: Member, charlie: Member
) -> None:
    assert client_of(eventful).get(page_of(eventful)).status_code == 403
    assert client_of(charlie).get(page_of(eventful)).status_code == 404
    refused(api(eventful).get(f"members/{eventful.pk}/activity"), 403, "not_allowed")
    refused(api(charlie).get(f"members/{eventful.pk}/activity"), 404, "not_found")


def test_the_invitation_and_the_last_sign_in_are_told(
    client_of: ClientOf, invite: Invite, alice: Member
) -> None:
    path = invite(alice, "zoe@example.com")
    user = make_user("zoe")
    zoe = accept_invitation(token=path.split("/")[2], user=user)
    client_of(zoe).get("/me/")
    page = words_of(client_of(alice).get(page_of(zoe)))
    assert "Was invited" in page
    assert "zoe@example.com" in page
    assert "Signed in last" in page


def test_pages_follow_without_a_gap_or_a_repetition(
    client_of: ClientOf, api: Api, alice: Member, eventful: Member
) -> None:
    same = datetime(2026, 3, 1, 12, tzinfo=UTC)
    entries = [
        AuditEntry(
            company=alice.company,
            member=alice,
            verb="update_member",
            subject=f"member:{eventful.pk}",
            data={"number": f"n{number:02}"},
        )
        for number in range(60)
    ]
    AuditEntry.objects.bulk_create(entries)
    AuditEntry.objects.filter(data__has_key="number").update(created_at=same)
    Member.objects.filter(pk=eventful.pk).update(joined_at=same - timedelta(seconds=1))
    told: list[str] = []
    client, address = api(alice), f"/api/v1/members/{eventful.pk}/activity?limit=7"
    while address:
        body = client.client.get(address).json()
        told += [f"{one['kind']} {one['title']} {one['detail']}" for one in body["results"]]
        address = body["next"]
    assert len(told) == len(set(told)) == 68
    assert told[-1].startswith("joined")
    first = client_of(alice).get(page_of(eventful))
    second = client_of(alice).get(page_of(eventful) + first.context["older"])
    assert len(first.context["events"]) == 50
    assert len(second.context["events"]) == 18
    assert second.context["older"] == ""


@pytest.mark.parametrize("cursor", ["x", "1-2", "1-2-3-4", "9" * 18 + "-1-1", "-1-1-1"])
def test_an_odd_cursor_leads_to_the_newest(
    client_of: ClientOf, api: Api, alice: Member, bob: Member, cursor: str
) -> None:
    answer = client_of(alice).get(page_of(bob), {"before": cursor})
    assert (answer.status_code, answer["Location"]) == (302, page_of(bob))
    answer = api(alice).get(f"members/{bob.pk}/activity", cursor=cursor)
    refused(answer, 400, "invalid_cursor")


def test_it_takes_as_many_queries_for_much_as_for_little(
    client_of: ClientOf,
    alice: Member,
    eventful: Member,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    client = client_of(alice)
    client.get(page_of(eventful))
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        client.get(page_of(eventful))


def test_another_members_events_are_not_there(
    client_of: ClientOf, alice: Member, fiona: Member, eventful: Member
) -> None:
    page = words_of(client_of(alice).get(page_of(fiona)))
    assert "Joined the company" in page
    assert "Received" not in page
    assert "Asked for" not in page


def test_what_was_done_to_several_at_once_is_told_to_each(
    client_of: ClientOf, api: Api, alice: Member, bob: Member, fiona: Member
) -> None:
    acme = alice.company
    erin = make_member(acme, "erin")
    actor, both = Actor.of_member(alice), [bob.pk, erin.pk]
    terms = RuleTerms(Decimal(5), Decimal(10), Decimal(40))
    save_rules(actor=actor, recipients=Recipients(member_ids=tuple(both)), terms=terms)
    suspend_members(actor=actor, member_ids=both)
    reactivate_members(actor=actor, member_ids=both)
    sales = create_list(actor=actor, name="Sales")
    move_members(actor=actor, member_ids=both, list_id=sales.pk)
    archive_list(actor=actor, list_id=sales.pk)
    remove_members(actor=actor, member_ids=both)
    verbs = ["remove_members", "archive_list", "move_members", "reactivate_members"]
    verbs += ["suspend_members", "save_rules"]
    told = [str(WORDS[verb]) for verb in verbs]
    for member in (bob, erin):
        page = words_of(client_of(alice).get(page_of(member)))
        places = [page.index(words) for words in told]
        assert places == sorted(places)
        assert page.count("Alice") >= len(told)
        assert "List: Sales" in page
    answer = api(alice).get(f"members/{bob.pk}/activity").json()
    decided = [one["title"] for one in answer["results"] if one["kind"] == "decision"]
    assert decided == told
    # One decision each, and nothing about somebody else.
    assert AuditEntry.objects.filter(company=acme, verb__in=verbs).count() == len(verbs)
    assert "Suspended members" not in words_of(client_of(alice).get(page_of(fiona)))
    seen = words_of(client_of(fiona).get(page_of(bob)))
    assert "Suspended members" in seen
    assert "Sales" not in seen


def test_a_decision_about_one_of_several_chosen_is_that_ones(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    actor = Actor.of_member(alice)
    sales = create_list(actor=actor, name="Sales")
    move_members(actor=actor, member_ids=[bob.pk], list_id=sales.pk)
    assert AuditEntry.objects.get(verb="move_members").subject == f"member:{bob.pk}"
    assert "Moved members to a list" in words_of(client_of(alice).get(page_of(bob)))
