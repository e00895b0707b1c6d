"""The Details tab, roles, and the last administrator."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from members.actors import Actor
from members.details import update_member
from members.errors import InvalidField, LastAdministrator
from members.lists import create_list
from members.models import AuditEntry, Member, MemberList
from members.roles import change_role
from skypemgr.lib.errors import NotAllowed, ProductError
from tests.conftest import ClientOf, make_company, make_member


def page(member: Member) -> str:
    return f"/members/{member.pk}/"


def details(member: Member, **changes: object) -> dict[str, object]:
    return {
        "name": member.name,
        "job_title": "",
        "work_email": "",
        "work_phone": "",
        "list": "",
        "new_list": "",
        "role": member.role,
        "cost_centre": "",
        **changes,
    }


def test_an_administrator_updates_a_member(alice: Member, bob: Member) -> None:
    sales = create_list(actor=Actor.of_member(alice), name="Sales")
    update_member(
        actor=Actor.of_member(alice),
        member=bob,
        name="Émile Zola",
        work_email="Emile@Work.example",
        list=sales,
        cost_centre="42",
    )
    bob.refresh_from_db()
    assert (bob.name, bob.name_key, bob.list) == ("Émile Zola", "emile zola", sales)
    assert bob.work_email == "emile@work.example"
    assert "emile@work.example" in bob.search_text
    entry = AuditEntry.objects.get(verb="update_member")
    assert set(entry.data) == {"name", "work_email", "list", "cost_centre"}


def test_nothing_changed_leaves_no_audit_entry(alice: Member, bob: Member) -> None:
    update_member(actor=Actor.of_member(alice), member=bob, name=bob.name)
    assert not AuditEntry.objects.filter(verb="update_member").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("work_email", "nonsense"),
        ("job_title", "x" * 101),
        ("work_phone", "1" * 33),
        ("cost_centre", "x" * 41),
        ("role", "owner"),
    ],
)
def test_a_bad_field_is_refused_and_nothing_changes(
    alice: Member, bob: Member, field: str, value: str
) -> None:
    changes: dict[str, Any] = {"name": "Changed", field: value}
    with pytest.raises(InvalidField) as refusal:
        update_member(actor=Actor.of_member(alice), member=bob, **changes)
    assert refusal.value.field == field
    bob.refresh_from_db()
    assert bob.name == "Bob"


def test_another_companys_list_is_refused(alice: Member, bob: Member, charlie: Member) -> None:
    theirs = create_list(actor=Actor.of_member(charlie), name="Sales")
    with pytest.raises(InvalidField):
        update_member(actor=Actor.of_member(alice), member=bob, list=theirs)


def test_a_sign_in_address_is_no_field(alice: Member, bob: Member) -> None:
    with pytest.raises(TypeError):
        update_member(actor=Actor.of_member(alice), member=bob, email="x@example.com")


def test_a_suspended_administrator_changes_nothing(alice: Member, bob: Member) -> None:
    alice.status = Member.Status.SUSPENDED
    alice.save(update_fields=["status"])
    with pytest.raises(NotAllowed):
        update_member(actor=Actor.of_member(alice), member=bob, name="Changed")


def test_the_last_administrator_cannot_be_demoted(alice: Member, bob: Member) -> None:
    actor = Actor.of_member(alice)
    for verb in (change_role, update_member):
        with pytest.raises(LastAdministrator):
            verb(actor=actor, member=alice, role="member")
    alice.refresh_from_db()
    assert alice.is_administrator
    change_role(actor=actor, member=bob, role="administrator")
    change_role(actor=actor, member=alice, role="member")
    bob.refresh_from_db()
    with pytest.raises(LastAdministrator):
        change_role(actor=Actor.of_member(bob), member=bob, role="finance")


def test_a_suspended_administrator_does_not_count(alice: Member, bob: Member) -> None:
    bob.role, bob.status = "administrator", Member.Status.SUSPENDED
    bob.save(update_fields=["role", "status"])
    with pytest.raises(LastAdministrator):
        change_role(actor=Actor.of_member(alice), member=alice, role="member")


def demote_without_lock(member: Member) -> None:
    """What change_role would be if it only looked whether there is another administrator."""
    others = Member.objects.filter(company=member.company_id, role="administrator")
    if others.exclude(pk=member.pk).exists():
        barrier.wait(timeout=10)
        Member.objects.filter(pk=member.pk).update(role="member")


def demote(member: Member) -> None:
    barrier.wait(timeout=10)
    change_role(actor=Actor.system(member.company), member=member, role="member")


barrier = threading.Barrier(2)


def race(work: Callable[[Member], None], members: list[Member]) -> list[str]:
    refused: list[str] = []

    def run(member: Member) -> None:
        try:
            with transaction.atomic():
                work(member)
        except ProductError as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return refused


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_step_down_at_once_do_not_leave_the_company_alone() -> None:
    alice = make_company("Acme", "alice")
    bob = make_member(alice.company, "bob", role="administrator")
    assert race(demote_without_lock, [alice, bob]) == []
    administrators = Member.objects.filter(company=alice.company, role="administrator")
    assert administrators.count() == 0
    Member.objects.update(role="administrator")
    assert race(demote, [alice, bob]) == ["last_administrator"]
    assert administrators.count() == 1


def test_the_page_shows_and_saves(alice: Member, bob: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    shown = client.get(page(bob))
    assert shown.status_code == 200
    assert "bob@example.com" in shown.content.decode()
    saved = client.post(page(bob), details(bob, name="Robert", job_title="Cook"))
    assert saved["Location"] == page(bob)
    bob.refresh_from_db()
    assert (bob.name, bob.job_title) == ("Robert", "Cook")


def test_the_page_creates_a_list_on_the_fly(
    alice: Member, bob: Member, client_of: ClientOf
) -> None:
    client_of(alice).post(page(bob), details(bob, new_list="Kitchen"))
    bob.refresh_from_db()
    assert bob.list is not None
    assert bob.list.name == "Kitchen"


def test_a_list_made_on_the_fly_vanishes_when_the_rest_is_refused(
    alice: Member, client_of: ClientOf
) -> None:
    answer = client_of(alice).post(page(alice), details(alice, new_list="Kitchen", role="member"))
    assert answer.status_code == 422
    assert "needs an administrator" in answer.content.decode()
    assert not MemberList.objects.exists()


def test_a_taken_list_name_is_told_beside_its_field(
    alice: Member, bob: Member, client_of: ClientOf
) -> None:
    create_list(actor=Actor.of_member(alice), name="Kitchen")
    answer = client_of(alice).post(page(bob), details(bob, new_list="kitchen"))
    assert answer.status_code == 422
    assert answer.context["form"].errors["new_list"]


def test_finance_reads_and_cannot_change(fiona: Member, bob: Member, client_of: ClientOf) -> None:
    client = client_of(fiona)
    shown = client.get(page(bob))
    assert shown.status_code == 200
    assert b"Save changes" not in shown.content
    assert client.post(page(bob), details(bob, name="Changed")).status_code == 403
    bob.refresh_from_db()
    assert bob.name == "Bob"


def test_members_see_nobodys_page(bob: Member, client_of: ClientOf) -> None:
    assert client_of(bob).get(page(bob)).status_code == 403


def test_another_companys_member_is_not_there(
    bob: Member, charlie: Member, client_of: ClientOf
) -> None:
    client = client_of(charlie)
    assert client.get(page(bob)).status_code == 404
    assert client.post(page(bob), details(bob, name="Changed")).status_code == 404
    assert client.get("/members/999999/").status_code == 404
    bob.refresh_from_db()
    assert bob.name == "Bob"


def test_a_suspended_administrator_opens_no_member(
    alice: Member, bob: Member, client_of: ClientOf
) -> None:
    alice.status = Member.Status.SUSPENDED
    alice.save(update_fields=["status"])
    assert client_of(alice).get(page(bob)).status_code == 403
