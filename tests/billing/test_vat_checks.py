"""Whether VAT numbers are valid: the operator's word, and a register that may not answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from billing import vat_checkers
from billing.errors import NoVatNumber
from billing.models import BillingProfile
from billing.tasks import sweep_vat_numbers as task
from billing.vat import vat_of
from billing.vat_checks import (
    ASKED_AGAIN_AFTER,
    CHECKED_AGAIN_AFTER,
    decide_vat_number,
    number_state,
    sweep_vat_numbers,
)
from members.actors import Actor
from members.company_profile import update_company
from members.models import AuditEntry, Company, Member
from skypemgr.lib.errors import NotAllowed
from tests.fakes.vies import CONSULTATION, Register

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
GERMAN = "DE136695976"
OTHER = "DE129274202"
TROUBLES = (
    "MS_UNAVAILABLE",
    "SERVICE_UNAVAILABLE",
    "TIMEOUT",
    "GLOBAL_MAX_CONCURRENT_REQ",
    "INVALID_REQUESTER_INFO",
    "slow",
    "not json",
    "500",
)


@pytest.fixture
def register(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    """A register that answers, and settings that ask it."""
    server = Register()
    settings.VAT_CHECKER = "vies"
    settings.VIES_URL = server.address
    monkeypatch.setattr(vat_checkers, "ANSWER_WITHIN_SECONDS", 1)
    yield server
    server.stop()


def german(alice: Member, number: str = GERMAN) -> Company:
    """Alice's company, now in Germany with a number."""
    return update_company(actor=Actor.of_member(alice), country="DE", vat_number=number)


def profile_of(member: Member) -> BillingProfile:
    return BillingProfile.objects.get(company=member.company_id)


def reason(company: Company, now: datetime = NOON) -> str:
    return vat_of(company, on=company.day_at(now)).reason


def test_a_new_number_waits_for_the_operator_where_no_service_is_asked(alice: Member) -> None:
    company = german(alice)
    assert number_state(company) == "unchecked"
    assert sweep_vat_numbers(now=NOON) == 0
    profile = profile_of(alice)
    assert (profile.vat_number_checked, profile.vat_state) == (GERMAN, "unchecked")


def test_a_number_that_changes_nothing_is_never_asked_about(
    alice: Member, register: Register
) -> None:
    company = update_company(actor=Actor.of_member(alice), vat_number="FR40303265045")
    assert sweep_vat_numbers(now=NOON) == 0
    assert register.asked == []
    assert number_state(company) == ""


def test_a_valid_number_reverses_the_charge(
    alice: Member, register: Register, settings: Settings
) -> None:
    settings.SELLER_VAT_NUMBER = "FR40303265045"
    company = german(alice)
    register.numbers = {GERMAN}
    task()
    profile = profile_of(alice)
    assert (profile.vat_state, profile.vat_source) == ("valid", "vies")
    assert profile.vat_proof == CONSULTATION
    assert reason(company, profile.vat_valid_at or NOON) == "reverse_charge"
    assert register.asked == [
        {
            "countryCode": "DE",
            "vatNumber": "136695976",
            "requesterMemberStateCode": "FR",
            "requesterNumber": "40303265045",
        }
    ]


def test_a_number_that_is_not_registered_is_charged_vat(alice: Member, register: Register) -> None:
    company = german(alice)
    assert sweep_vat_numbers(now=NOON) == 1
    assert profile_of(alice).vat_state == "invalid"
    assert reason(company) == "consumer_eu"


def test_a_number_that_the_register_cannot_read_is_not_valid(
    alice: Member, register: Register
) -> None:
    german(alice)
    register.trouble = "INVALID_INPUT"
    sweep_vat_numbers(now=NOON)
    assert profile_of(alice).vat_state == "invalid"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_answer_is_not_no(alice: Member, register: Register, trouble: str) -> None:
    company = german(alice)
    register.trouble = trouble
    sweep_vat_numbers(now=NOON)
    profile = profile_of(alice)
    assert (profile.vat_state, profile.vat_checked_at) == ("unavailable", None)
    assert reason(company) == "consumer_eu"
    register.trouble, register.numbers = "", {GERMAN}
    assert sweep_vat_numbers(now=NOON + ASKED_AGAIN_AFTER - timedelta(seconds=1)) == 0
    assert sweep_vat_numbers(now=NOON + ASKED_AGAIN_AFTER) == 1
    assert reason(company) == "reverse_charge"


def test_no_answer_keeps_the_last_good_one(alice: Member, register: Register) -> None:
    company = german(alice)
    register.numbers = {GERMAN}
    sweep_vat_numbers(now=NOON)
    register.trouble = "MS_UNAVAILABLE"
    later = NOON + CHECKED_AGAIN_AFTER
    assert sweep_vat_numbers(now=later) == 1
    profile = profile_of(alice)
    assert (profile.vat_state, profile.vat_valid_at) == ("unavailable", NOON)
    assert reason(company, later) == "reverse_charge"
    assert reason(company, NOON + timedelta(days=61)) == "consumer_eu"


def test_a_register_that_is_gone_is_no_answer(alice: Member, register: Register) -> None:
    german(alice)
    register.stop()
    sweep_vat_numbers(now=NOON)
    assert profile_of(alice).vat_state == "unavailable"


def test_a_valid_number_is_asked_about_once_a_month(alice: Member, register: Register) -> None:
    company = german(alice)
    register.numbers = {GERMAN}
    sweep_vat_numbers(now=NOON)
    assert sweep_vat_numbers(now=NOON + CHECKED_AGAIN_AFTER - timedelta(seconds=1)) == 0
    register.numbers = set()
    assert sweep_vat_numbers(now=NOON + CHECKED_AGAIN_AFTER) == 1
    assert (profile_of(alice).vat_state, reason(company)) == ("invalid", "consumer_eu")


def test_another_number_is_asked_about_at_once(alice: Member, register: Register) -> None:
    german(alice)
    register.numbers = {GERMAN}
    sweep_vat_numbers(now=NOON)
    company = german(alice, OTHER)
    assert number_state(company) == "unchecked"
    assert sweep_vat_numbers(now=NOON) == 1
    assert (profile_of(alice).vat_number_checked, profile_of(alice).vat_state) == (OTHER, "invalid")
    assert profile_of(alice).vat_valid_at is None


def test_the_operators_word_stands_above_the_register(alice: Member, register: Register) -> None:
    company = german(alice)
    decide_vat_number(actor=Actor.system(company), is_valid=True, now=NOON)
    assert sweep_vat_numbers(now=NOON + timedelta(days=400)) == 0
    assert register.asked == []
    assert reason(company, NOON + timedelta(days=400)) == "reverse_charge"


def test_the_operator_can_refuse_what_the_register_accepted(
    alice: Member, register: Register
) -> None:
    company = german(alice)
    register.numbers = {GERMAN}
    sweep_vat_numbers(now=NOON)
    decide_vat_number(actor=Actor.system(company), is_valid=False, now=NOON)
    assert reason(company) == "consumer_eu"
    assert AuditEntry.objects.get(verb="refuse_vat_number").data == {"vat_number": GERMAN}


def test_the_operators_word_ends_with_the_number(alice: Member) -> None:
    company = german(alice)
    decide_vat_number(actor=Actor.system(company), is_valid=True, now=NOON)
    company = german(alice, OTHER)
    sweep_vat_numbers(now=NOON)
    assert (number_state(company), reason(company)) == ("unchecked", "consumer_eu")
    assert profile_of(alice).vat_source == ""


def test_a_company_without_a_number_of_its_country_cannot_be_accepted(alice: Member) -> None:
    with pytest.raises(NoVatNumber):
        decide_vat_number(actor=Actor.system(alice.company), is_valid=True)
    german(alice)
    update_company(actor=Actor.of_member(alice), country="AT")
    with pytest.raises(NoVatNumber):
        decide_vat_number(actor=Actor.system(alice.company), is_valid=True)
    assert not AuditEntry.objects.filter(verb="accept_vat_number").exists()


def test_no_administrator_accepts_the_own_number(alice: Member) -> None:
    german(alice)
    with pytest.raises(NotAllowed):
        decide_vat_number(actor=Actor.of_member(alice), is_valid=True)


def test_a_closed_company_is_not_asked_about(alice: Member, register: Register) -> None:
    german(alice)
    Company.objects.update(state="closed")
    assert sweep_vat_numbers(now=NOON) == 0


def test_the_database_knows_no_valid_number_without_the_number(alice: Member) -> None:
    with (
        pytest.raises(IntegrityError, match="billing_profile_valid_number_known"),
        transaction.atomic(),
    ):
        BillingProfile.objects.create(company=alice.company, vat_state="valid")
