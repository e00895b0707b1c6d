"""Saved ways to pay: kept once, in an order, forgotten when removed, told before they expire."""

from datetime import date, timedelta

import pytest
from django.core import mail

from billing.auto_purchase import evaluate_auto_purchase
from billing.auto_rules import resume_rule, save_rule, switch_off_rule
from billing.consent import VERSION
from billing.errors import ConsentMissing, MethodInUse, MethodRemoved, UnknownMethod
from billing.forgetting import forget_method, forget_methods, tell_of_expiring
from billing.gateways.base import SavedMethod
from billing.method_removal import remove_method
from billing.methods import (
    confirm_method,
    customer_of,
    find_method,
    keep_customer,
    keep_method,
    list_methods,
    method_name,
    note_people_gone,
    reorder,
    set_default,
)
from billing.models import (
    AutoPurchaseConsent,
    AutoPurchaseRule,
    ForgetWish,
    GatewayCustomer,
    PaymentMethod,
)
from billing.purchases import advance_purchase
from members.actors import Actor
from members.mailing import send_pending_notices
from members.models import AuditEntry, Company, Member, Notice
from skypemgr.lib.errors import NotAllowed
from tests.billing.conftest import (
    ASKING_LATER,
    GOOD,
    LATE,
    NOON,
    armed_below,
    buy,
    card_of,
    five_seconds_pass,
    rule_of,
    run,
    set_rule,
    terms,
)

pytestmark = pytest.mark.django_db


def saved(reference: str = "pm_1", fingerprint: str = "f1", **more: object) -> SavedMethod:
    fields = {"kind": "card", "label": "Visa •••• 1111", "expires_on": None, **more}
    return SavedMethod(reference=reference, fingerprint=fingerprint, **fields)  # type: ignore[arg-type]


def of(member: Member) -> Actor:
    return Actor.of_member(member)


def two_cards(alice: Member) -> tuple[PaymentMethod, PaymentMethod]:
    """Two confirmed cards; the first is the default."""
    buy(alice, "10", now=NOON)
    buy(alice, "10", number=ASKING_LATER, now=NOON)
    first, second = list_methods(alice.company)
    return first, second


def kinds() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


def test_the_same_card_saved_anew_is_one_method_under_its_newer_name(alice: Member) -> None:
    first = keep_method(alice.company, "sandbox", saved(), member=alice, now=NOON)
    newer = saved("pm_2", expires_on=date(2030, 1, 31), label="Visa •••• 1111")
    again = keep_method(
        alice.company, "sandbox", newer, member=None, now=NOON, customer_reference="cus_1"
    )
    assert first.pk == again.pk
    method = PaymentMethod.objects.get()
    assert (method.reference, method.expires_on, method.added_by) == (
        "pm_2",
        date(2030, 1, 31),
        alice,
    )
    assert method.customer_reference == "cus_1"
    # The gateway keeps nothing that is not used any more.
    assert ForgetWish.objects.get().reference == "pm_1"


def test_another_companys_same_card_is_a_method_of_its_own(alice: Member, charlie: Member) -> None:
    keep_method(alice.company, "sandbox", saved(), member=alice, now=NOON)
    keep_method(charlie.company, "sandbox", saved(), member=charlie, now=NOON)
    assert PaymentMethod.objects.count() == 2
    assert not ForgetWish.objects.exists()


def test_what_was_not_paid_with_yet_is_not_offered(alice: Member) -> None:
    method = keep_method(alice.company, "sandbox", saved(), member=alice, now=NOON)
    assert list_methods(alice.company) == []
    confirm_method(method, now=NOON)
    (offered,) = list_methods(alice.company)
    assert (offered, offered.is_default) == (method, True)


def test_the_gateway_knows_the_company_under_one_name_for_good(alice: Member) -> None:
    assert customer_of(alice.company, "stripe") == ""
    assert keep_customer(alice.company, "stripe", "cus_1") == "cus_1"
    assert keep_customer(alice.company, "stripe", "cus_2") == "cus_1"
    assert customer_of(alice.company, "sandbox") == ""
    assert GatewayCustomer.objects.count() == 1


@pytest.mark.parametrize(
    ("gateway", "kind", "label", "name"),
    [
        ("sandbox", "card", "•••• 4242", "Test card •••• 4242"),
        ("stripe", "card", "Visa •••• 4242", "Visa •••• 4242"),
        ("stripe", "paypal", "a@b.example", "PayPal a@b.example"),
        ("stripe", "sepa_debit", "•••• 3000", "Direct debit •••• 3000"),
    ],
)
def test_methods_are_called_as_people_call_them(
    gateway: str, kind: str, label: str, name: str
) -> None:
    assert method_name(PaymentMethod(gateway=gateway, kind=kind, label=label)) == name


def test_the_default_comes_first_and_the_others_stay_in_their_order(alice: Member) -> None:
    first, second = two_cards(alice)
    buy(alice, "10", number=LATE, now=NOON)
    third = card_of(alice, LATE)
    five_seconds_pass()
    advance_purchase(third.purchases.get().pk)
    assert list_methods(alice.company) == [first, second, third]
    assert set_default(actor=of(alice), pk=third.pk) == [third, first, second]
    assert list_methods(alice.company) == [third, first, second]
    assert reorder(actor=of(alice), ids=[second.pk, third.pk]) == [second, third, first]
    assert [one.is_default for one in list_methods(alice.company)] == [True, False, False]
    # The same wish again decides nothing and writes nothing.
    reorder(actor=of(alice), ids=[second.pk, third.pk, first.pk, second.pk])
    assert AuditEntry.objects.filter(verb="order_payment_methods").count() == 2


def test_another_companys_method_has_no_place_in_the_order(alice: Member, charlie: Member) -> None:
    first, _second = two_cards(alice)
    buy(charlie, "10", now=NOON)
    for ids in ([], [first.pk, 10**12], [first.pk]):
        with pytest.raises(UnknownMethod):
            reorder(actor=of(charlie), ids=ids)


def test_the_default_is_not_what_auto_recharge_pays_with(alice: Member) -> None:
    first, second = two_cards(alice)
    set_rule(alice)
    set_default(actor=of(alice), pk=second.pk)
    assert rule_of(alice).method == first


def test_removing_the_default_makes_the_next_one_the_default(alice: Member) -> None:
    first, second = two_cards(alice)
    remove_method(actor=of(alice), pk=first.pk)
    assert [(one, one.is_default) for one in list_methods(alice.company)] == [(second, True)]
    with pytest.raises(UnknownMethod):
        remove_method(actor=of(alice), pk=first.pk)


def test_only_administrators_order_and_remove(
    alice: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    first, second = two_cards(alice)
    for member in (bob, fiona):
        with pytest.raises(NotAllowed):
            set_default(actor=of(member), pk=second.pk)
        with pytest.raises(NotAllowed):
            remove_method(actor=of(member), pk=second.pk)
    with pytest.raises(UnknownMethod):
        remove_method(actor=of(charlie), pk=second.pk)
    assert list_methods(alice.company) == [first, second]


def test_what_pays_for_auto_recharge_is_not_removed_without_a_word(alice: Member) -> None:
    first, second = two_cards(alice)
    set_rule(alice)
    with pytest.raises(MethodInUse):
        remove_method(actor=of(alice), pk=first.pk)
    with pytest.raises(ConsentMissing):
        remove_method(actor=of(alice), pk=first.pk, successor=second.pk)
    with pytest.raises(UnknownMethod):
        remove_method(actor=of(alice), pk=first.pk, successor=first.pk, consent_version=VERSION)
    assert find_method(of(alice), first.pk).removed_at is None
    assert rule_of(alice).state == "on"


def test_another_method_takes_over_with_a_consent_of_its_own(alice: Member) -> None:
    first, second = two_cards(alice)
    set_rule(alice)
    remove_method(
        actor=of(alice), pk=first.pk, successor=second.pk, consent_version=VERSION, now=NOON
    )
    rule = rule_of(alice)
    assert (rule.state, rule.method, armed_below(alice)) == ("on", second, 20)
    consent = AutoPurchaseConsent.objects.latest("pk")
    assert (consent.method, consent.member) == (second, alice)
    assert "Test card •••• 3155 is charged €50.00" in consent.text
    assert "payment_method_gone" not in kinds()


def test_without_a_successor_auto_recharge_pauses_and_all_administrators_are_told(
    alice: Member, bob: Member
) -> None:
    bob.role = "administrator"
    bob.save(update_fields=["role"])
    first, _second = two_cards(alice)
    set_rule(alice)
    remove_method(actor=of(alice), pk=first.pk, pauses=True, now=NOON)
    rule = rule_of(alice)
    assert (rule.state, rule.paused_because, rule.last_outcome) == (
        "paused",
        "method_removed",
        "method_removed",
    )
    assert armed_below(alice) is None
    told = Notice.objects.filter(kind="payment_method_gone")
    assert {notice.member for notice in told} == {alice, bob}
    assert {notice.data["others"] for notice in told} == {"•••• 3155"}
    assert run(alice) is None


def test_neither_a_payment_nor_a_click_resumes_what_has_nothing_to_charge(alice: Member) -> None:
    first, second = two_cards(alice)
    set_rule(alice)
    remove_method(actor=of(alice), pk=first.pk, pauses=True, now=NOON)
    buy(alice, "10", number=ASKING_LATER, now=NOON)
    assert rule_of(alice).state == "paused"
    with pytest.raises(MethodRemoved):
        resume_rule(actor=of(alice))
    with pytest.raises(MethodRemoved):
        save_rule(actor=of(alice), method=first, terms=terms(), consent_version=VERSION)
    save_rule(actor=of(alice), method=second, terms=terms(), consent_version=VERSION)
    assert rule_of(alice).state == "on"


def test_a_rule_that_is_off_lets_its_card_go(alice: Member) -> None:
    first, _second = two_cards(alice)
    set_rule(alice)
    switch_off_rule(actor=of(alice))
    remove_method(actor=of(alice), pk=first.pk)
    assert (rule_of(alice).state, "payment_method_gone" in kinds()) == ("off", False)


def test_a_card_removed_while_it_is_charged_is_still_charged_once(alice: Member) -> None:
    buy(alice, "10", now=NOON)
    set_rule(alice, chosen=terms("60"))
    pk = evaluate_auto_purchase(alice.company_id, now=NOON)
    assert pk is not None
    remove_method(actor=of(alice), pk=rule_of(alice).method_id, pauses=True, now=NOON)
    wish = ForgetWish.objects.get()
    assert not forget_method(wish.pk, now=NOON)
    assert advance_purchase(pk, now=NOON).status == "succeeded"
    assert rule_of(alice).state == "paused"
    assert forget_method(wish.pk, now=NOON)


def test_a_tick_whose_card_is_removed_before_it_is_paid_pauses_and_tells(alice: Member) -> None:
    buy(alice, "10", number=LATE, terms=terms("20", "10", "200"), now=NOON)
    method = PaymentMethod.objects.get()
    remove_method(actor=of(alice), pk=method.pk, now=NOON)
    five_seconds_pass()
    advance_purchase(method.purchases.get().pk, now=NOON)
    rule = rule_of(alice)
    assert (rule.state, rule.paused_because) == ("paused", "method_removed")
    assert "payment_method_gone" in kinds()
    assert list_methods(alice.company) == []


def test_the_gateway_is_asked_to_forget_until_it_did_once(alice: Member) -> None:
    first, _second = two_cards(alice)
    remove_method(actor=of(alice), pk=first.pk, now=NOON)
    # A gateway that is not configured any more, or is down, is asked again later and later.
    ForgetWish.objects.update(gateway="gone")
    assert forget_methods(now=NOON) == 0
    wish = ForgetWish.objects.get()
    assert (wish.tries_count, wish.forgotten_at) == (1, None)
    assert wish.next_try_at == NOON + timedelta(minutes=2)
    assert forget_methods(now=NOON + timedelta(minutes=1)) == 0
    assert forget_methods(now=NOON + timedelta(minutes=2)) == 0
    wish.refresh_from_db()
    assert (wish.tries_count, wish.next_try_at) == (2, NOON + timedelta(minutes=6))
    ForgetWish.objects.update(gateway="sandbox")
    later = NOON + timedelta(minutes=6)
    assert forget_methods(now=later) == 1
    wish.refresh_from_db()
    assert wish.forgotten_at == later
    assert forget_methods(now=later + timedelta(days=2)) == 0


def test_what_was_saved_again_under_the_same_name_is_not_forgotten(alice: Member) -> None:
    first, _second = two_cards(alice)
    remove_method(actor=of(alice), pk=first.pk, now=NOON)
    card_of(alice, GOOD)
    assert forget_methods(now=NOON) == 0
    assert not ForgetWish.objects.exists()


def test_a_card_is_told_a_month_before_it_expires_once(alice: Member, bob: Member) -> None:
    first, _second = two_cards(alice)
    Notice.objects.all().delete()
    PaymentMethod.objects.filter(pk=first.pk).update(expires_on=date(2026, 12, 31))
    assert tell_of_expiring(now=NOON) == 0
    due = NOON.replace(month=11, day=30)
    assert tell_of_expiring(now=due) == 1
    tell_of_expiring(now=due)
    tell_of_expiring(now=due + timedelta(days=20))
    notice = Notice.objects.get()
    assert (notice.kind, notice.member) == ("payment_method_expires", alice)
    assert (notice.data["card"], notice.data["pays"]) == ("•••• 4242", False)
    # The card that came after it has a date of its own.
    PaymentMethod.objects.filter(pk=first.pk).update(expires_on=date(2027, 12, 31))
    tell_of_expiring(now=NOON.replace(year=2027, month=12, day=15))
    assert Notice.objects.count() == 2


def test_cards_that_are_gone_or_were_never_paid_with_are_not_told(alice: Member) -> None:
    first, second = two_cards(alice)
    PaymentMethod.objects.update(expires_on=date(2026, 11, 30))
    remove_method(actor=of(alice), pk=first.pk, now=NOON)
    PaymentMethod.objects.filter(pk=second.pk).update(confirmed_at=None)
    assert tell_of_expiring(now=NOON) == 0


def test_a_company_that_cannot_be_told_of_its_card_keeps_no_other_from_being_told(
    alice: Member, charlie: Member
) -> None:
    two_cards(alice)
    PaymentMethod.objects.create(
        company=charlie.company,
        gateway="sandbox",
        kind="card",
        reference="r",
        fingerprint="f",
        label="card",
        confirmed_at=NOON,
    )
    PaymentMethod.objects.update(expires_on=date(2026, 11, 30))
    Company.objects.filter(pk=alice.company_id).update(time_zone="Nowhere/At_All")
    assert tell_of_expiring(now=NOON) == 1


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_mails_about_methods_are_written(alice: Member, language: str) -> None:
    first, second = two_cards(alice)
    set_rule(alice)
    PaymentMethod.objects.filter(pk=second.pk).update(expires_on=date(2026, 11, 30))
    tell_of_expiring(now=NOON)
    remove_method(actor=of(alice), pk=first.pk, pauses=True)
    alice.user.language = language
    alice.user.save(update_fields=("language",))
    send_pending_notices()
    bodies = [f"{message.subject} {message.body}" for message in mail.outbox[-2:]]
    assert "3155" in bodies[0]
    assert "4242" in bodies[1]
    assert "3155" in bodies[1]
    for body in bodies:
        assert "/settings/payment/" in body
        assert "{{" not in body
        assert "None" not in body


def test_who_entered_the_card_may_go_and_auto_recharge_goes_on_with_a_word(
    alice: Member, bob: Member
) -> None:
    bob.role = "administrator"
    bob.save(update_fields=["role"])
    set_rule(bob)
    PaymentMethod.objects.update(confirmed_at=NOON)
    Notice.objects.all().delete()
    note_people_gone(alice.company, [bob.pk], now=NOON)
    note_people_gone(alice.company, [bob.pk], now=NOON)
    told = Notice.objects.get(member=alice)
    assert (told.kind, told.data["consented"]) == ("payer_gone", True)
    assert "4242" in told.data["cards"]
    assert AutoPurchaseRule.objects.get().state == "on"
