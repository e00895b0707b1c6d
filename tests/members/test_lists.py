"""Lists: created, renamed, archived; members moved between them."""

from datetime import UTC, datetime

import pytest

from members.actors import Actor
from members.errors import DuplicateList, InvalidField
from members.lists import archive_list, create_list, move_members, rename_list
from members.models import AuditEntry, Company, Member, MemberList, MemberPlacement
from members.placement import placement_on
from skypemgr.lib.errors import NotAllowed, NotFound
from tests.conftest import ClientOf, make_company

NOON = datetime(2027, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def sales(alice: Member, bob: Member) -> MemberList:
    made = create_list(actor=Actor.of_member(alice), name="Sales")
    move_members(actor=Actor.of_member(alice), member_ids=[bob.pk], list_id=made.pk)
    return made


def test_a_list_is_renamed_to_a_free_name_only(alice: Member, sales: MemberList) -> None:
    actor = Actor.of_member(alice)
    create_list(actor=actor, name="Marketing")
    assert rename_list(actor=actor, list_id=sales.pk, name="  sales  team ").name == "sales team"
    assert rename_list(actor=actor, list_id=sales.pk, name="Sàles Team").name == "Sàles Team"
    for name, error in (("MARKETING", DuplicateList), ("", InvalidField), ("x" * 81, InvalidField)):
        with pytest.raises(error):
            rename_list(actor=actor, list_id=sales.pk, name=name)
    assert MemberList.objects.get(pk=sales.pk).name == "Sàles Team"
    assert AuditEntry.objects.filter(verb="rename_list").count() == 2


def test_an_archived_list_frees_its_name_and_its_members(
    alice: Member, bob: Member, sales: MemberList
) -> None:
    actor = Actor.of_member(alice)
    assert archive_list(actor=actor, list_id=sales.pk, now=NOON).count == 1
    bob.refresh_from_db()
    assert bob.list is None
    placed = placement_on(bob, NOON.date())
    assert placed is not None
    assert placed.list is None
    with pytest.raises(NotFound):
        archive_list(actor=actor, list_id=sales.pk)
    assert create_list(actor=actor, name="Sales").pk != sales.pk


def test_members_move_together_or_not_at_all(
    alice: Member, bob: Member, fiona: Member, charlie: Member, sales: MemberList
) -> None:
    actor = Actor.of_member(alice)
    ids = [bob.pk, fiona.pk]
    with pytest.raises(NotFound):
        move_members(actor=actor, member_ids=[*ids, charlie.pk], list_id=sales.pk)
    assert Member.objects.filter(list=sales).count() == 1
    moved = move_members(actor=actor, member_ids=ids, list_id=sales.pk)
    assert (moved.count, moved.unchanged_count) == (1, 1)
    assert move_members(actor=actor, member_ids=ids, list_id=None).count == 2
    assert not Member.objects.filter(list=sales).exists()
    with pytest.raises(NotFound):
        move_members(actor=Actor.of_member(charlie), member_ids=[charlie.pk], list_id=sales.pk)


def test_a_move_is_placed_on_its_day_without_touching_the_days_before(
    alice: Member, bob: Member, sales: MemberList
) -> None:
    move_members(actor=Actor.of_member(alice), member_ids=[bob.pk], list_id=None, now=NOON)
    rows = MemberPlacement.objects.filter(member=bob).order_by("valid_from")
    assert [row.list_id for row in rows] == [sales.pk, None]
    assert list(rows)[-1].valid_from == NOON.date()


@pytest.mark.parametrize("who", ["bob", "fiona", "charlie"])
def test_only_administrators_of_the_company_change_lists(
    alice: Member, sales: MemberList, who: str, request: pytest.FixtureRequest, client_of: ClientOf
) -> None:
    member: Member = request.getfixturevalue(who)
    error = NotFound if who == "charlie" else NotAllowed
    actor = Actor.of_member(member)
    with pytest.raises(error):
        rename_list(actor=actor, list_id=sales.pk, name="x")
    with pytest.raises(error):
        archive_list(actor=actor, list_id=sales.pk)
    client = client_of(member)
    status = 404 if who == "charlie" else 403
    for action in ("rename", "archive"):
        path = f"/members/lists/{sales.pk}/{action}/"
        assert client.get(path).status_code == status
        assert client.post(path, {"name": "x"}).status_code == status
    assert client.get(f"/members/move/?member={alice.pk}").status_code == status
    kept = MemberList.objects.get(pk=sales.pk)
    assert (kept.name, kept.archived_at) == ("Sales", None)


def test_the_pages_create_rename_archive_and_move(
    alice: Member, bob: Member, acme: Company, client_of: ClientOf
) -> None:
    client = client_of(alice)
    assert client.post("/members/lists/create/", {"name": "Kitchen"}).status_code == 302
    assert client.post("/members/lists/create/", {"name": "kitchen"}).status_code == 422
    kitchen = MemberList.objects.get()
    assert "Kitchen" in client.get(f"/members/lists/{kitchen.pk}/rename/").content.decode()
    client.post(f"/members/lists/{kitchen.pk}/rename/", {"name": "Canteen"})
    page = client.get(f"/members/move/?member={bob.pk}").content.decode()
    assert "Canteen" in page
    assert "Bob" in page
    client.post("/members/move/", {"member": [bob.pk], "list": kitchen.pk})
    bob.refresh_from_db()
    assert bob.list == kitchen
    asked = client.get(f"/members/lists/{kitchen.pk}/archive/").content.decode()
    assert "1 member is in this list and will be in no list." in asked
    done = client.post(f"/members/lists/{kitchen.pk}/archive/", follow=True).content.decode()
    assert "1 member is in no list now" in done
    client.post("/members/move/", {"member": [bob.pk], "list": "", "new_list": "New"})
    bob.refresh_from_db()
    assert bob.list is not None
    assert bob.list.name == "New"
    forgotten = client.post("/members/move/", {"member": [bob.pk], "list": ""})
    assert forgotten.status_code == 422
    assert "Choose a list from the list." in forgotten.content.decode()
    client.post("/members/move/", {"member": [bob.pk], "list": "none"})
    assert not Member.objects.filter(pk=bob.pk, list__isnull=False).exists()
    for bad in ("x", "999999", "9" * 30):
        assert client.get(f"/members/move/?member={bad}").status_code == 404
    assert client.get("/members/move/")["Location"] == "/members/"


def test_another_companys_list_cannot_be_chosen(
    alice: Member, bob: Member, client_of: ClientOf
) -> None:
    other = make_company("Third", "dora")
    theirs = create_list(actor=Actor.of_member(other), name="Theirs")
    answer = client_of(alice).post("/members/move/", {"member": [bob.pk], "list": theirs.pk})
    assert answer.status_code == 422
    bob.refresh_from_db()
    assert bob.list is None
