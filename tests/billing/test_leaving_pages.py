"""The pages of suspending, removing, leaving and closing: numbers first, then one click."""

from decimal import Decimal

import pytest

from credit.allocation import Recipients
from credit.rules import RuleTerms, save_rules
from members.actors import Actor
from members.models import Company, Member, User
from members.tokens import issue_token
from tests.conftest import PASSWORD, ClientOf, credit_company, give, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _credit(alice: Member, bob: Member) -> None:
    """bob has 20 and a rule; the company nothing."""
    credit_company(alice.company, "20")
    give(alice, bob, "20")
    save_rules(
        actor=Actor.of_member(alice),
        recipients=Recipients(member_ids=(bob.pk,)),
        terms=RuleTerms(Decimal(10), Decimal(5), Decimal(40)),
    )


def status(member: Member) -> str:
    return Member.objects.values_list("status", flat=True).get(pk=member.pk)


@pytest.mark.parametrize(
    ("page", "before", "after"),
    [("suspend", "active", "suspended"), ("reactivate", "suspended", "active")],
)
def test_suspending_and_reactivating_say_what_happens_first(
    page: str, before: str, after: str, alice: Member, bob: Member, client_of: ClientOf
) -> None:
    Member.objects.filter(pk=bob.pk).update(status=before)
    client, path = client_of(alice), f"/members/{bob.pk}/{page}/"
    assert f'href="{path}"' in client.get(f"/members/{bob.pk}/").content.decode()
    shown = client.get(path).content.decode()
    assert "€20.00" in shown
    assert "auto-recharge" in shown
    assert status(bob) == before
    assert client.post(path).status_code == 302
    assert status(bob) == after
    assert client.get(path)["Location"] == f"/members/{bob.pk}/"


def test_the_last_administrator_is_told_why_not(alice: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    for path in (f"/members/{alice.pk}/suspend/", "/me/leave/"):
        answer = client.post(path)
        assert answer.status_code == 422
        assert b"administrator" in answer.content
    assert client.get(f"/members/{alice.pk}/remove/")["Location"] == "/me/leave/"
    assert b"only administrator of Acme" in client.get("/me/leave/").content
    assert status(alice) == "active"


def test_removing_says_what_stays_and_what_ends_first(
    alice: Member, bob: Member, client_of: ClientOf
) -> None:
    issue_token(actor=Actor.of_member(bob), name="mine", scopes=["read"])
    client, path = client_of(alice), f"/members/{bob.pk}/remove/"
    shown = client.get(path).content.decode()
    for words in ("€20.00", "auto-recharge is switched off", "1 API token stops"):
        assert words in shown
    assert status(bob) == "active"
    assert client.post(path)["Location"] == "/members/"
    assert status(bob) == "removed"
    assert client.get(path)["Location"] == f"/members/{bob.pk}/"
    assert client.get(f"/members/{bob.pk}/").status_code == 200


def test_leaving_says_what_stays_and_what_ends_first(bob: Member, client_of: ClientOf) -> None:
    client = client_of(bob)
    shown = client.get("/me/leave/").content.decode()
    assert "€20.00" in shown
    assert "auto-recharge is switched off" in shown
    assert status(bob) == "active"
    answer = client.post("/me/leave/", follow=True)
    assert status(bob) == "left"
    assert "€20.00" in answer.content.decode()


def test_closing_asks_for_the_password(alice: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    assert b"/settings/close/" in client.get("/settings/").content
    assert "€20.00" in client.get("/settings/close/").content.decode()
    for wrong in ("", "wrong"):
        assert client.post("/settings/close/", {"password": wrong}).status_code == 422
    company = Company.objects.get(pk=alice.company_id)
    assert company.state == "active"
    assert client.post("/settings/close/", {"password": PASSWORD}).status_code == 302
    company.refresh_from_db()
    assert company.state == "closed"
    assert b"/settings/close/" not in client.get("/settings/").content


def test_wrong_passwords_lock_the_closing_for_a_while(alice: Member, client_of: ClientOf) -> None:
    client = client_of(alice)
    for _turn in range(12):
        client.post("/settings/close/", {"password": "wrong"})
    answer = client.post("/settings/close/", {"password": PASSWORD})
    assert answer.status_code in (422, 429)
    assert Company.objects.get(pk=alice.company_id).state == "active"


def test_who_has_no_password_types_the_companys_name(alice: Member, client_of: ClientOf) -> None:
    user = User.objects.get(pk=alice.user_id)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    alice.user = user
    client = client_of(alice)
    assert client.post("/settings/close/", {"confirm": "acme"}).status_code == 422
    assert client.post("/settings/close/", {"confirm": "Acme"}).status_code == 302
    assert Company.objects.get(pk=alice.company_id).state == "closed"


def test_closing_with_credit_names_the_remedy_and_shows_no_button(
    alice: Member, client_of: ClientOf
) -> None:
    credit_company(alice.company, "5")
    client = client_of(alice)
    shown = client.get("/settings/close/").content.decode()
    assert "/members/credit/?all=1" in shown
    assert 'type="password"' not in shown
    answer = client.post("/settings/close/", {"password": PASSWORD})
    assert answer.status_code == 422
    assert Company.objects.get(pk=alice.company_id).state == "active"


@pytest.mark.parametrize("page", ["suspend", "reactivate", "remove"])
def test_other_roles_and_other_companies_change_nobody(
    page: str, alice: Member, bob: Member, fiona: Member, charlie: Member, client_of: ClientOf
) -> None:
    dora = make_member(alice.company, "dora")
    for member, code in ((bob, 403), (fiona, 403), (charlie, 404)):
        for method in ("get", "post"):
            answer = getattr(client_of(member), method)(f"/members/{dora.pk}/{page}/")
            assert answer.status_code == code
    assert status(dora) == "active"


@pytest.mark.parametrize("role", ["bob", "fiona"])
def test_only_administrators_close(
    role: str, bob: Member, fiona: Member, client_of: ClientOf
) -> None:
    member = {"bob": bob, "fiona": fiona}[role]
    for method in ("get", "post"):
        assert getattr(client_of(member), method)("/settings/close/").status_code == 403
    assert Company.objects.get(pk=bob.company_id).state == "active"
