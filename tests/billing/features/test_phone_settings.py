"""Voicemail, forwarding and caller ID are set only with the feature, and by whom they concern."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.errors import SettingsRefused
from billing.features.changing import cancel_feature
from billing.features.phones import Target, read_phone
from billing.features.settings import read_settings, set_forwarding
from billing.leaving import leave_company
from billing.models import NumberArea, PhoneSettings, Subscription
from billing.renewals import end_overdue
from members.actors import Actor
from members.models import AuditEntry, Member
from skypemgr.lib.errors import NotAllowed, NotFound, ProductError
from tests.billing.features.conftest import NOON, at, give_plan
from tests.billing.features.phone_kit import (
    LANDLINE,
    LONDON,
    MOBILE,
    TERMS,
    answer,
    equip,
    forward,
    number_of,
    plan_of,
    price_calls,
    show,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _priced(db: None, paris: NumberArea) -> None:
    price_calls("33", "44")


def refusal(work: Callable[[], object]) -> tuple[str, str]:
    """Code and field of what is refused; nothing is changed by it."""
    before = list(PhoneSettings.objects.order_by("pk").values())
    logged = AuditEntry.objects.count()
    with pytest.raises(ProductError) as caught:
        work()
    assert list(PhoneSettings.objects.order_by("pk").values()) == before
    assert AuditEntry.objects.count() == logged
    return caught.value.code, caught.value.field


def test_voicemail_is_on_at_once_in_the_companys_language(alice: Member, bob: Member) -> None:
    equip(alice, bob)
    phone = read_phone(bob)
    assert phone.voicemail_is_active
    assert phone.voicemail.greeting_language == "en"
    assert not phone.forwarding_is_active
    assert not phone.caller_id_is_active


def test_the_member_and_the_administrator_set_voicemail(alice: Member, bob: Member) -> None:
    equip(alice, bob)
    assert answer(bob, bob).voicemail == TERMS
    off = replace(TERMS, is_on=False, email="")
    phone = answer(alice, bob, off)
    assert phone.voicemail == off
    assert not phone.voicemail_is_active
    verbs = AuditEntry.objects.filter(verb="set_voicemail").order_by("pk")
    assert [entry.member_id for entry in verbs] == [bob.pk, alice.pk]
    assert "example.com" not in str([entry.data for entry in verbs])


def test_nobody_else_reads_or_sets_it(
    alice: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    equip(alice, bob)
    for stranger in (fiona,):
        for work in (answer, forward, partial(show, number="")):
            with pytest.raises(NotAllowed):
                work(stranger, bob)
        with pytest.raises(NotAllowed):
            read_settings(actor=Actor.of_member(stranger), member_id=bob.pk)
    with pytest.raises(NotAllowed):
        answer(bob, alice)
    with pytest.raises(NotFound):
        answer(charlie, bob)
    with pytest.raises(NotFound):
        read_settings(actor=Actor.of_member(charlie), member_id=bob.pk)


def test_saving_the_same_again_changes_nothing(alice: Member, bob: Member) -> None:
    equip(alice, bob)
    number = number_of(alice, bob).number
    assert number is not None
    for work in (
        partial(answer, bob, bob),
        partial(forward, bob, bob, MOBILE),
        partial(show, bob, bob, number.e164),
    ):
        first = work()
        logged = AuditEntry.objects.count()
        assert work() == first
        assert AuditEntry.objects.count() == logged


def test_without_the_feature_nothing_is_set(alice: Member, bob: Member) -> None:
    give_plan(alice, plan_of("caller_id"), bob)
    assert refusal(lambda: answer(bob, bob)) == ("feature_missing", "")
    assert refusal(lambda: forward(bob, bob, MOBILE)) == ("feature_missing", "")
    give_plan(alice, plan_of("voicemail"), alice)
    assert refusal(lambda: show(alice, alice, "")) == ("feature_missing", "")


def test_a_cancelled_feature_is_set_to_its_last_day_and_not_after(
    alice: Member, bob: Member
) -> None:
    equip(alice, bob)
    for feature in Subscription.objects.filter(kind="call_forwarding"):
        cancel_feature(actor=Actor.of_member(alice), subscription_id=feature.pk, now=NOON)
    work = partial(
        set_forwarding,
        actor=Actor.of_member(bob),
        member_id=bob.pk,
        targets=[Target(MOBILE, 5)],
    )
    assert work(now=at("2026-02-27")).forwarding_is_active
    # The first day that is not paid, before any job has run.
    assert refusal(partial(work, now=at("2026-02-28"))) == ("feature_missing", "")


def test_who_left_sets_what_is_paid_and_who_is_suspended_sets_nothing(
    alice: Member, bob: Member
) -> None:
    equip(alice, bob)
    Member.objects.filter(pk=bob.pk).update(status="suspended")
    bob.refresh_from_db()
    with pytest.raises(NotAllowed):
        answer(bob, bob)
    Member.objects.filter(pk=bob.pk).update(status="active")
    bob.refresh_from_db()
    leave_company(actor=Actor.of_member(bob), now=NOON)
    bob.refresh_from_db()
    assert answer(bob, bob).voicemail_is_active
    end_overdue(now=at("2026-03-01"))
    assert refusal(lambda: answer(bob, bob)) == ("feature_missing", "")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"answer_after_seconds": -1}, "invalid_delay", "answer_after_seconds"),
        ({"answer_after_seconds": 121}, "invalid_delay", "answer_after_seconds"),
        ({"greeting": "song"}, "invalid_greeting", "greeting"),
        ({"greeting_language": "de"}, "invalid_language", "greeting_language"),
        ({"greeting_text": "  "}, "invalid_text", "greeting_text"),
        ({"greeting_text": "x" * 501}, "invalid_text", "greeting_text"),
        ({"greeting_text": "a\x00b"}, "invalid_text", "greeting_text"),
        ({"email": "bob"}, "invalid_email", "email"),
        ({"email": f"{'b' * 250}@example.com"}, "invalid_email", "email"),
    ],
)
def test_wrong_terms_of_voicemail_name_their_field(
    alice: Member, bob: Member, change: dict[str, object], code: str, field: str
) -> None:
    equip(alice, bob)
    wrong = replace(TERMS, **change)  # type: ignore[arg-type]
    assert refusal(lambda: answer(bob, bob, wrong)) == (code, field)


def test_up_to_three_numbers_are_kept_in_order_as_e164(alice: Member, bob: Member) -> None:
    equip(alice, bob)
    phone = forward(bob, bob, "06 12 34 56 78", LONDON, "+33 (0)1 42 27 89 00")
    assert [each.number for each in phone.targets] == [MOBILE, LONDON, LANDLINE]
    assert phone.forwarding_is_active
    assert [each.number for each in forward(bob, bob, LANDLINE).targets] == [LANDLINE]
    assert not forward(bob, bob).forwarding_is_active
    entry = AuditEntry.objects.filter(verb="set_forwarding").latest("pk")
    assert entry.data == {"numbers_count": 0}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "malformed_number"),
        ("+", "malformed_number"),
        ("bob", "malformed_number"),
        ("+33612345678x12", "malformed_number"),
        ("+33", "malformed_number"),
        ("+331422789001234567890", "malformed_number"),
        ("+999123456789", "malformed_number"),
        ("\x00", "malformed_number"),
        ("+٣٣٦١٢٣٤٥٦٧٨", "malformed_number"),
        ("1" * 300, "malformed_number"),
        ("112", "emergency_number"),
        ("+112", "emergency_number"),
        ("1 5", "emergency_number"),
        ("18", "emergency_number"),
        ("+33899123456", "premium_number"),
        ("08 99 12 34 56", "premium_number"),
        ("+33820123456", "premium_number"),
        ("+4915123456789", "no_rate"),
        ("+33180000003", "number_not_in_use"),
    ],
)
def test_numbers_that_cost_or_lead_nowhere_are_refused(
    alice: Member, bob: Member, number: str, code: str
) -> None:
    equip(alice, bob)
    assert refusal(lambda: forward(bob, bob, number)) == (code, "targets.0.number")
    assert refusal(lambda: forward(bob, bob, MOBILE, number)) == (code, "targets.1.number")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.one_of(
        st.text(max_size=20),
        st.text("+0123456789 ()-.", max_size=20),
        st.integers(0, 10**12).map(lambda digits: f"+33{digits}"),
        st.sampled_from(["15", "+", "00112", "3615", "+33 112"]),
    )
)
def test_whatever_is_typed_is_a_whole_number_or_refused(
    alice: Member, bob: Member, text: str
) -> None:
    if not Subscription.objects.filter(member=bob).exists():
        equip(alice, bob)
    try:
        targets = forward(bob, bob, text).targets
    except SettingsRefused:
        targets = ()
    for target in targets:
        assert phonenumbers.is_valid_number(phonenumbers.parse(target.number))
        assert target.number[1:].startswith(("33", "44"))


def test_a_number_twice_and_a_fourth_and_a_wrong_delay_are_refused(
    alice: Member, bob: Member
) -> None:
    equip(alice, bob)
    twice = refusal(lambda: forward(bob, bob, MOBILE, "0612345678"))
    assert twice == ("duplicate_number", "targets.1.number")
    four = refusal(lambda: forward(bob, bob, MOBILE, LONDON, LANDLINE, "+33142278901"))
    assert four == ("too_many_targets", "targets")
    late = partial(
        set_forwarding, actor=Actor.of_member(bob), member_id=bob.pk, targets=[Target(MOBILE, 121)]
    )
    assert refusal(late) == ("invalid_delay", "targets.0.delay_seconds")


def test_calls_are_not_forwarded_to_an_own_number(alice: Member, bob: Member) -> None:
    equip(alice, bob)
    number_of(alice, alice)
    own = number_of(alice, bob).number
    assert own is not None
    assert refusal(lambda: forward(bob, bob, own.e164)) == ("own_number", "targets.0.number")


def test_the_caller_id_is_an_own_number_or_none(alice: Member, bob: Member) -> None:
    equip(alice, bob)
    foreign, own = number_of(alice, alice).number, number_of(alice, bob).number
    assert foreign is not None
    assert own is not None
    for wrong in (foreign.e164, MOBILE, "x", "\x00"):
        assert refusal(partial(show, bob, bob, wrong)) == ("not_own_number", "number")
    phone = show(bob, bob, own.e164)
    assert phone.caller_id == own.e164
    assert phone.caller_id_is_active
    assert show(alice, bob, "").caller_id is None
