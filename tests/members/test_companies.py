"""Making a company: by verb, page and command."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from members.companies import create_company
from members.errors import AlreadyInCompany, InvalidField
from members.models import AuditEntry, Company, Member, User
from members.tokens import find_token
from tests.conftest import ClientOf, make_user

TERMS = {"country": "FR", "currency": "EUR", "time_zone": "Europe/Paris", "language": "fr"}


def browser(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_whoever_names_a_company_administers_it(db: None) -> None:
    company, member = create_company(name="  New   Co ", user=make_user("dora"), **TERMS)
    assert company.name == "New Co"
    assert member.is_administrator
    entry = AuditEntry.objects.get(company=company)
    assert (entry.verb, entry.member) == ("create_company", member)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 151),
        ("country", "XX"),
        ("currency", "ZZZ"),
        ("time_zone", "Europe/Atlantis"),
        # Known here, but not to the database.
        ("time_zone", "localtime"),
        ("language", "de"),
    ],
)
def test_a_company_is_refused_for_a_bad_field(db: None, field: str, value: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        create_company(user=make_user("dora"), **{"name": "New", **TERMS, field: value})
    assert refusal.value.field == field
    assert not Company.objects.exists()


def test_somebody_with_a_place_cannot_name_a_second_company(alice: Member) -> None:
    with pytest.raises(AlreadyInCompany):
        create_company(name="Second", user=alice.user, **TERMS)
    assert not Company.objects.filter(name="Second").exists()


def test_the_page_suggests_the_terms_of_the_browsers_country(db: None) -> None:
    page = browser(make_user("dora"), "fr-CH,fr;q=0.9").get("/company/new/")
    form = page.context["form"]
    assert page.status_code == 200
    assert form["country"].value() == "CH"
    assert form["currency"].value() == "CHF"
    assert form["time_zone"].value() == "Europe/Zurich"
    assert form["language"].value() == "fr"


def test_the_page_makes_the_company_and_leads_to_the_dashboard(db: None) -> None:
    client = browser(make_user("dora"))
    answer = client.post("/company/new/", {"name": "New", **TERMS})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").status_code == 200


def test_the_page_keeps_what_was_typed_when_something_is_wrong(db: None) -> None:
    client = browser(make_user("dora"))
    answer = client.post("/company/new/", {"name": "New", **TERMS, "currency": "ZZZ"})
    assert answer.status_code == 422
    assert b'value="New"' in answer.content
    assert not Company.objects.exists()


def test_the_page_sends_those_with_a_company_to_the_dashboard(
    alice: Member, client_of: ClientOf
) -> None:
    assert client_of(alice).get("/company/new/")["Location"] == "/"


def test_a_person_who_left_learns_that_the_credit_stays(bob: Member) -> None:
    bob.status = Member.Status.LEFT
    bob.save(update_fields=["status"])
    page = browser(bob.user).get("/company/new/")
    assert "no longer a member of Acme" in page.content.decode()


def run_command(**options: str) -> str:
    out = StringIO()
    given = {
        "name": "Cmd Co",
        "country": "NZ",
        "admin_email": "Root@Example.com",
        "password": "a long enough word",
    }
    call_command("create_company", json=True, stdout=out, **{**given, **options})
    return out.getvalue()


def test_the_command_makes_a_company_with_a_signed_up_administrator(db: None) -> None:
    made = json.loads(run_command())
    company = Company.objects.get(pk=made["company"]["id"])
    assert (company.currency, company.time_zone) == ("NZD", "Pacific/Auckland")
    administrator = Member.objects.get(pk=made["administrator"]["id"])
    assert administrator.is_administrator
    token = find_token(made["token"])
    assert token is not None
    assert token.member == administrator
    assert sorted(token.scopes) == ["calls", "read", "write"]
    signed_in = Client().post(
        "/accounts/login/", {"login": "root@example.com", "password": "a long enough word"}
    )
    assert signed_in["Location"] == "/"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("password", "12345"),
        ("currency", "ZZZ"),
        ("country", "XX"),
        ("admin_email", "nobody"),
        ("admin_email", "alice@example.com"),
    ],
)
def test_the_command_refuses_and_leaves_nothing(alice: Member, option: str, value: str) -> None:
    with pytest.raises(CommandError):
        run_command(**{option: value})
    assert Company.objects.count() == 1
    assert User.objects.count() == 1
