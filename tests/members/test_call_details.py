"""Single calls are shown to administrators only if company and member both want it."""

import pytest

from members.actors import Actor
from members.call_details import (
    hide_last_digits,
    may_show_calls,
    set_consent,
    switch_call_details,
)
from members.models import AuditEntry, Company, Member
from skypemgr.lib.errors import NotAllowed
from tests.api.conftest import Api, refused
from tests.api.conftest import api as api  # noqa: PLC0414
from tests.conftest import ClientOf

CONSENT = "/profile/call-details/"
SWITCH = "/settings/call-details/"


def fresh(member: Member) -> Member:
    return Member.objects.select_related("company", "user").get(pk=member.pk)


def test_both_are_off_until_somebody_acts(alice: Member, bob: Member) -> None:
    assert fresh(bob).call_details_consent_at is None
    assert fresh(bob).company.call_details_on is False
    assert not may_show_calls(alice, fresh(bob))


@pytest.mark.parametrize("on", [False, True])
@pytest.mark.parametrize("consents", [False, True])
def test_an_administrator_sees_calls_only_if_both_are_on(
    alice: Member, bob: Member, fiona: Member, charlie: Member, on: bool, consents: bool
) -> None:
    switch_call_details(actor=Actor.of_member(alice), on=on)
    set_consent(actor=Actor.of_member(bob), consents=consents)
    seen = fresh(bob)
    assert may_show_calls(fresh(alice), seen) is (on and consents)
    assert may_show_calls(seen, seen)
    assert not may_show_calls(fresh(fiona), seen)
    assert not may_show_calls(fresh(charlie), seen)
    suspended = fresh(alice)
    suspended.status = Member.Status.SUSPENDED
    assert not may_show_calls(suspended, seen)


def test_an_administrators_own_consent_shows_nobody_elses_calls(alice: Member, bob: Member) -> None:
    switch_call_details(actor=Actor.of_member(alice), on=True)
    set_consent(actor=Actor.of_member(alice), consents=True)
    assert not may_show_calls(fresh(alice), fresh(bob))


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+33 1 42 27 89 00", "+33 1 42 27 ••••"),
        ("+33142278900", "+3314227••••"),
        ("112", "•••"),
        ("+44 20 7946 0018", "+44 20 7946 ••••"),
        ("+1 212-555-0101", "+1 212-555-••••"),
        ("", ""),
    ],
)
def test_the_last_four_digits_are_hidden(number: str, shown: str) -> None:
    assert hide_last_digits(number) == shown


def test_a_member_gives_and_withdraws_the_consent(client_of: ClientOf, bob: Member) -> None:
    client = client_of(bob)
    assert client.get(CONSENT).status_code == 405
    client.post(CONSENT, {"consents": "1"})
    given = fresh(bob).call_details_consent_at
    assert given is not None
    client.post(CONSENT, {"consents": "1"})
    assert fresh(bob).call_details_consent_at == given
    assert "Withdraw my consent" in client.get("/profile/").content.decode()
    client.post(CONSENT, {"consents": "0"})
    assert fresh(bob).call_details_consent_at is None
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))[-2:] == [
        "give_call_details_consent",
        "withdraw_call_details_consent",
    ]


def test_an_administrator_switches_the_company_after_the_legal_notice(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    set_consent(actor=Actor.of_member(bob), consents=True)
    client = client_of(alice)
    page = client.get(SWITCH).content.decode()
    assert "Single calls are personal data." in page
    assert "1 of 2 members has consented." in page
    assert not Company.objects.get(pk=alice.company_id).call_details_on
    client.post(SWITCH, {"on": "1"})
    assert Company.objects.get(pk=alice.company_id).call_details_on
    client.post(SWITCH, {"on": "0"})
    assert not Company.objects.get(pk=alice.company_id).call_details_on
    verbs = AuditEntry.objects.filter(verb__startswith="switch_").order_by("pk")
    assert [entry.verb for entry in verbs] == ["switch_on_call_details", "switch_off_call_details"]


def test_nobody_but_an_administrator_switches(
    client_of: ClientOf, bob: Member, fiona: Member
) -> None:
    for member in (bob, fiona):
        client = client_of(member)
        assert client.get(SWITCH).status_code == 403
        assert client.post(SWITCH, {"on": "1"}).status_code == 403
        with pytest.raises(NotAllowed):
            switch_call_details(actor=Actor.of_member(member), on=True)
        assert SWITCH not in client.get("/settings/").content.decode()
    assert not Company.objects.get(pk=bob.company_id).call_details_on


def test_one_company_switches_only_itself(alice: Member, charlie: Member) -> None:
    switch_call_details(actor=Actor.of_member(charlie), on=True)
    assert not Company.objects.get(pk=alice.company_id).call_details_on


def test_programs_consent_for_their_owner_and_switch_for_administrators(
    api: Api, alice: Member, bob: Member, fiona: Member
) -> None:
    client = api(bob)
    answer = client.patch("me", {"call_details_consent": True})
    assert answer.status_code == 200, answer.content
    assert answer.json()["call_details_consent_at"]
    answer = client.patch("me", {"call_details_consent": False})
    assert answer.json()["call_details_consent_at"] is None
    for member in (bob, fiona):
        refused(api(member).patch("company", {"call_details": True}), 403, "not_allowed")
    answer = api(alice).patch("company", {"call_details": True})
    assert answer.json()["call_details"] is True
    refused(api(alice).patch("company", {"id": 1}), 422, "unknown_field")


def test_a_refused_profile_changes_no_consent(api: Api, bob: Member) -> None:
    body = {"call_details_consent": True, "language": "de"}
    refused(api(bob).patch("me", body), 422, "invalid")
    assert fresh(bob).call_details_consent_at is None
