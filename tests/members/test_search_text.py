"""Members are found by their present addresses, number and user name, never by former ones."""

from collections.abc import Callable

from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from members.details import refresh_search
from members.models import Member, User
from skypemgr.lib.outbox import Message
from tests.conftest import PASSWORD, ClientOf
from tests.members.conftest import code_in

Outbox = Callable[[], list[Message]]


def found(member: Member) -> str:
    """What the member is found by."""
    return Member.objects.get(pk=member.pk).search_text


def signed_in(member: Member) -> Client:
    """A browser in which the member typed the password just now."""
    client = Client()
    client.post("/accounts/login/", {"login": member.user.email, "password": PASSWORD})
    return client


def test_another_main_address_replaces_the_former_one(bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(work_email="")
    EmailAddress.objects.create(user=bob.user, email="robert@example.com", verified=True)
    client = signed_in(bob)
    client.post("/accounts/email/", {"email": "robert@example.com", "action_primary": ""})
    assert User.objects.get(pk=bob.user_id).email == "robert@example.com"
    assert "robert@example.com" in found(bob)
    assert "bob@example.com" not in found(bob)
    client.post("/accounts/email/", {"email": "bob@example.com", "action_remove": ""})
    assert EmailAddress.objects.get(user=bob.user).email == "robert@example.com"
    assert "robert@example.com" in found(bob)


def test_another_number_replaces_the_former_one(bob: Member, outbox: Outbox) -> None:
    client = signed_in(bob)
    for number in ("+33612345678", "+33698765432"):
        client.post("/accounts/phone/change/", {"phone": number})
        client.post("/accounts/phone/verify/", {"code": code_in(outbox()[0])})
        assert number in found(bob)
        # A number may be changed once in a while only.
        cache.clear()
    assert "+33612345678" not in found(bob)


def test_a_user_name_changed_at_the_desk_is_found(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    alice.user.is_staff = alice.user.is_superuser = True
    alice.user.save()
    form = {"username": "robert", "name": "Bob", "is_active": "on", "language": "", "time_zone": ""}
    answer = client_of(alice).post(f"/admin/members/user/{bob.user_id}/change/", form)
    assert answer.status_code == 302, answer.context["errors"]
    assert "robert" in found(bob)


def test_the_page_of_addresses_asks_for_a_sign_in(db: None) -> None:
    client = Client()
    assert client.get("/accounts/email/").status_code == 302
    assert client.post("/accounts/email/", {"action_remove": ""}).status_code == 302


def test_a_company_that_somebody_left_does_not_find_them_by_a_new_address(bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(status="left")
    before = found(bob)
    bob.user.email = "robert@elsewhere.example"
    bob.user.save(update_fields=["email"])
    refresh_search(bob.user)
    assert found(bob) == before
