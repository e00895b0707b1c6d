"""The audit log's page."""

from decimal import Decimal

from members.actors import Actor
from members.audit import record
from members.details import update_member
from members.lists import create_list
from members.models import Member
from tests.conftest import ClientOf

PAGE = "/settings/audit/"


def test_the_page_says_who_did_what_to_whom(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    update_member(actor=Actor.of_member(alice), member=bob, job_title="Chief <b>")
    page = client_of(alice).get(PAGE).content.decode()
    assert "Changed a member&#x27;s details" in page
    assert f'<a href="/members/{bob.pk}/">Bob</a>' in page
    assert "Job title: Chief &lt;b&gt;" in page
    assert "Created the company" in page


def test_an_unknown_verb_is_shown_as_it_is(client_of: ClientOf, alice: Member) -> None:
    record(Actor.system(alice.company), "paint_the_wall", colour="blue")
    page = client_of(alice).get(PAGE).content.decode()
    assert "Paint the wall" in page
    assert "The system" in page


def test_one_person_is_shown_alone(client_of: ClientOf, alice: Member, bob: Member) -> None:
    record(Actor.of_member(bob), "update_profile", language="fr")
    client = client_of(alice)
    page = client.get(PAGE, {"person": bob.pk}).content.decode()
    assert "Changed the own profile" in page
    assert "Created the company" not in page


def test_older_pages_follow_without_a_gap(client_of: ClientOf, alice: Member) -> None:
    for number in range(60):
        record(Actor.of_member(alice), "allocate", number=f"n{number:02}")
    client = client_of(alice)
    first = client.get(PAGE)
    assert "number: n59" in first.content.decode()
    assert "number: n10" in first.content.decode()
    assert "number: n09" not in first.content.decode()
    second = client.get(PAGE + first.context["older"]).content.decode()
    assert "number: n09" in second
    assert "number: n10" not in second
    assert "Created the company" in second


def test_another_companys_entries_and_people_are_not_there(
    client_of: ClientOf, alice: Member, charlie: Member
) -> None:
    record(Actor.of_member(alice), "allocate", secret="hush")
    client = client_of(charlie)
    assert "hush" not in client.get(PAGE).content.decode()
    assert client.get(PAGE, {"person": alice.pk}).status_code == 404


def test_nobody_but_an_administrator_reads_it(
    client_of: ClientOf, bob: Member, fiona: Member
) -> None:
    for member in (bob, fiona):
        assert client_of(member).get(PAGE).status_code == 403
        assert PAGE not in client_of(member).get("/settings/").content.decode()


def test_odd_parameters_are_ignored(client_of: ClientOf, alice: Member) -> None:
    client = client_of(alice)
    for query in ({"before": "x"}, {"person": "x"}, {"before": "9" * 30}, {"before": "1"}):
        assert client.get(PAGE, query).status_code == 200


def test_what_was_decided_is_told_in_words_not_in_codes(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    actor = Actor.of_member(alice)
    nantes = create_list(actor=actor, name="Nantes")
    update_member(actor=actor, member=bob, list=nantes, role="finance")
    record(actor, "allocate", amount=Decimal("12.5"), members_count=3, refused=0, empty="")
    record(actor, "mute_notices", off=["purchase_succeeded"])
    client = client_of(alice)
    page = client.get(PAGE).content.decode()
    assert "List: Nantes · Role: Finance" in page
    assert "Amount: €12.50 · Members: 3<" in page
    assert "Not by mail: A payment was received" in page
    assert "Montant\N{NARROW NO-BREAK SPACE}:" in client_of(alice, "fr").get(PAGE).content.decode()
