"""Who has gone: the company keeps the name and what was noted of them, not how they sign in now."""

import pytest

from members.models import Member
from tests.api.conftest import Api
from tests.conftest import ClientOf
from tests.portal.conftest import NOW, History

NEW = "robert@elsewhere.example"


@pytest.fixture
def gone(history: History) -> Member:
    """Bob, who left and has another address now."""
    bob = history.bob
    Member.objects.filter(pk=bob.pk).update(
        status="left", ended_at=NOW, work_email="bob@acme.example"
    )
    bob.user.email, bob.user.username = NEW, "robert"
    bob.user.save(update_fields=["email", "username"])
    return bob


@pytest.mark.parametrize(
    "address",
    [
        "/members/?status=gone",
        "/members/{pk}/",
        "/members/{pk}/features/",
        "/features/?q=bob",
        "/members/export/?status=gone",
    ],
)
def test_no_page_and_no_file_tells_the_new_address_of_who_left(
    history: History, gone: Member, client_of: ClientOf, address: str
) -> None:
    answer = client_of(history.alice).get(address.format(pk=gone.pk))
    assert answer.status_code == 200
    told = answer.getvalue().decode()
    assert NEW not in told
    assert "robert" not in told


def test_the_list_of_those_who_left_tells_the_work_contact(
    history: History, gone: Member, client_of: ClientOf
) -> None:
    told = client_of(history.alice).get("/members/?status=gone").content.decode()
    assert gone.name in told
    assert "bob@acme.example" in told


def test_programs_are_not_told_the_new_address_of_who_left(
    history: History, gone: Member, api: Api
) -> None:
    told = api(history.alice).get(f"members/{gone.pk}").json()
    assert (told["email"], told["username"], told["status"]) == ("", None, "left")
    assert told["work_email"] == "bob@acme.example"
