"""How much may be bought: at once, in a month, by the company's own limit."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing.auto_purchase import evaluate_auto_purchase
from billing.errors import AmountRefused
from billing.gateways.base import Way
from billing.limits import check_limits, describe, describe_own, system_limit
from billing.means import NewMethod, paid_with
from billing.models import AutoPurchaseRule, BillingProfile, Purchase, PurchaseLimit
from billing.profile import set_company_limit, verify_company, withdraw_verification
from members.actors import Actor
from members.models import AuditEntry, Member
from members.zones import change_time_zone
from skypemgr.lib.errors import NotAllowed, ProductError
from tests.billing.conftest import DECLINED, LATE, NOON, buy, card_of, create, set_rule, terms

pytestmark = pytest.mark.django_db
CARD = NewMethod("stripe", Way.CARD)
PAYPAL = NewMethod("stripe", Way.PAYPAL)
DEBIT = NewMethod("stripe", Way.SEPA_DEBIT)
TRANSFER = NewMethod("transfer", Way.TRANSFER)


@dataclass(frozen=True)
class Paid:
    """How a purchase made for a test was paid."""

    gateway: str = "stripe"
    way: str = "card"
    status: str = "pending"


def bought(member: Member, amount: str, paid: Paid = Paid(), now: datetime = NOON) -> Purchase:
    """A purchase of the company as if it had been made this way."""
    make = buy if paid.status == "succeeded" else create
    purchase = make(member, amount, now=now)
    Purchase.objects.filter(pk=purchase.pk).update(
        gateway=paid.gateway, way=paid.way, status=paid.status
    )
    return purchase


def check(member: Member, amount: str, means: NewMethod = CARD, now: datetime = NOON) -> None:
    with transaction.atomic():
        check_limits(member.company, means, Decimal(amount), now=now)


def refusal(member: Member, amount: str, means: NewMethod = CARD) -> AmountRefused:
    with pytest.raises(AmountRefused) as caught:
        check(member, amount, means)
    return caught.value


def limit(member: Member, amount: str | None) -> None:
    set_company_limit(
        actor=Actor.of_member(member), limit=None if amount is None else Decimal(amount)
    )


def test_more_than_the_way_takes_at_once_is_refused_with_the_remedy(alice: Member) -> None:
    check(alice, "1000")
    error = refusal(alice, "1000.01")
    assert (error.code, error.field) == ("amount_too_large", "amount")
    assert "€1,000.00" in str(error)
    assert "ask the operator to verify" in str(error)


def test_a_verified_company_may_buy_more(alice: Member) -> None:
    verify_company(actor=Actor.system(alice.company), now=NOON)
    check(alice, "10000")
    error = refusal(alice, "10000.01")
    assert "verify" not in str(error)
    withdraw_verification(actor=Actor.system(alice.company))
    assert refusal(alice, "10000").code == "amount_too_large"


def test_verifying_twice_is_one_decision(alice: Member) -> None:
    for _number in range(2):
        verify_company(actor=Actor.system(alice.company), now=NOON)
    assert AuditEntry.objects.filter(verb="verify_company").count() == 1


def test_no_administrator_verifies_the_own_company(alice: Member) -> None:
    with pytest.raises(NotAllowed):
        verify_company(actor=Actor.of_member(alice))
    with pytest.raises(NotAllowed):
        withdraw_verification(actor=Actor.of_member(alice))


@pytest.mark.parametrize("status", ["pending", "requires_action", "unknown", "succeeded"])
def test_what_is_paid_and_what_is_being_paid_count(alice: Member, status: str) -> None:
    for amount in ("1000", "1000"):
        bought(alice, amount, Paid(status=status))
    check(alice, "500")
    error = refusal(alice, "500.01")
    assert error.code == "monthly_limit_reached"
    for part in ("€2,500.00", "€2,000.00", "€500.00", "1 December 2026"):
        assert part in str(error)


@pytest.mark.parametrize("status", ["declined", "expired"])
def test_what_was_never_paid_does_not_count(alice: Member, status: str) -> None:
    bought(alice, "1000", Paid(status=status))
    assert describe(alice.company, CARD, now=NOON).used == 0


def test_each_way_has_a_limit_of_its_own(alice: Member) -> None:
    bought(alice, "1000")
    assert describe(alice.company, CARD, now=NOON).used == 1000
    for means in (PAYPAL, DEBIT, TRANSFER):
        assert describe(alice.company, means, now=NOON).used == 0
    assert refusal(alice, "500.01", DEBIT).code == "amount_too_large"
    check(alice, "10000", TRANSFER)


def test_last_months_purchases_do_not_count_in_the_companys_zone(alice: Member) -> None:
    bought(alice, "900", Paid(status="succeeded"), datetime(2026, 10, 31, 22, 59, tzinfo=UTC))
    bought(alice, "800", Paid(status="succeeded"), datetime(2026, 10, 31, 23, 0, tzinfo=UTC))
    status = describe(alice.company, CARD, now=NOON)
    assert (status.used, status.left) == (800, 1700)
    assert describe(alice.company, CARD, now=datetime(2026, 11, 30, 23, tzinfo=UTC)).used == 0


def test_a_zone_to_come_moves_the_month_only_from_its_day(alice: Member) -> None:
    change_time_zone(actor=Actor.of_member(alice), zone="America/New_York", now=NOON)
    before = describe_own(alice.company, now=NOON)
    assert before.resumes_on.isoformat() == "2026-12-01"


def test_the_sandbox_has_no_monthly_limit(alice: Member) -> None:
    status = describe(alice.company, paid_with(card_of(alice)), now=NOON)
    assert (status.monthly_most, status.left_this_month) == (None, None)
    for _number in range(4):
        buy(alice, "1000", now=NOON)


def test_the_operators_row_overrides_the_default(alice: Member) -> None:
    row = PurchaseLimit.objects.create(
        way="card", currency="EUR", is_verified=False, single_most=5, monthly_most=8
    )
    check(alice, "5")
    assert refusal(alice, "5.01").code == "amount_too_large"
    PurchaseLimit.objects.filter(pk=row.pk).update(single_most=0, monthly_most=0)
    assert refusal(alice, "1").code == "amount_too_large"
    verify_company(actor=Actor.system(alice.company))
    check(alice, "5.01")


@pytest.mark.parametrize(
    ("currency", "single", "monthly"),
    [("EUR", "1000", "2500"), ("JPY", "100000", "250000"), ("SEK", "10000", "25000")],
)
def test_the_defaults_are_of_the_currencys_size(currency: str, single: str, monthly: str) -> None:
    most = system_limit(Way.CARD, currency, is_verified=False)
    assert most == (Decimal(single), Decimal(monthly))


def test_an_unverified_company_may_never_buy_more_than_a_verified_one() -> None:
    for way in Way:
        low = system_limit(way, "EUR", is_verified=False)
        high = system_limit(way, "EUR", is_verified=True)
        assert low[0] <= high[0]
        assert low[1] <= high[1]


def test_the_companys_own_limit_counts_every_way(alice: Member) -> None:
    limit(alice, "100")
    buy(alice, "50", now=NOON)
    bought(alice, "20")
    check(alice, "30")
    error = refusal(alice, "30.01")
    assert error.code == "company_limit_reached"
    for part in ("€100.00", "€70.00", "€30.00", "1 December 2026", "Payment settings"):
        assert part in str(error)


def test_a_purchase_above_the_own_limit_stores_nothing(alice: Member) -> None:
    limit(alice, "49.99")
    with pytest.raises(AmountRefused):
        buy(alice, "50", now=NOON)
    assert not Purchase.objects.exists()
    assert not AuditEntry.objects.filter(verb="create_purchase").exists()


def test_a_declined_purchase_leaves_the_limit_as_it_was(alice: Member) -> None:
    limit(alice, "50")
    buy(alice, "50", number=DECLINED, now=NOON)
    buy(alice, "50", now=NOON)
    assert describe_own(alice.company, now=NOON).left == 0


def test_a_purchase_that_waits_for_an_answer_holds_the_limit(alice: Member) -> None:
    limit(alice, "50")
    buy(alice, "50", number=LATE, now=NOON)
    with pytest.raises(AmountRefused):
        buy(alice, "1", now=NOON)


def test_a_lower_limit_leaves_what_was_bought_and_a_removed_one_limits_nothing(
    alice: Member,
) -> None:
    buy(alice, "50", now=NOON)
    limit(alice, "20")
    status = describe(alice.company, CARD, now=NOON)
    assert (status.company_used, status.company_left, status.left_this_month) == (50, 0, 0)
    limit(alice, None)
    assert describe(alice.company, CARD, now=NOON).company_left is None
    check(alice, "100")


def test_the_lesser_of_both_limits_is_what_is_left(alice: Member) -> None:
    bought(alice, "1000")
    limit(alice, "2000")
    assert describe(alice.company, CARD, now=NOON).left_this_month == 1000
    limit(alice, "5000")
    assert describe(alice.company, CARD, now=NOON).left_this_month == 1500


def test_auto_recharge_keeps_to_the_own_limit_and_is_never_cut(alice: Member) -> None:
    set_rule(alice, chosen=terms(level="20", amount="50", limit="200"))
    limit(alice, "49")
    assert evaluate_auto_purchase(alice.company_id, now=NOON) is None
    assert not Purchase.objects.exists()
    assert AutoPurchaseRule.objects.get().state == "on"


def test_what_auto_recharge_is_told_names_no_smaller_amount(alice: Member) -> None:
    limit(alice, "10")
    with pytest.raises(AmountRefused) as caught, transaction.atomic():
        check_limits(alice.company, CARD, Decimal(50), now=NOON, automatic=True)
    assert "Auto-recharge goes on by itself" in str(caught.value)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "1E+20", "NaN", "Infinity"])
def test_an_absurd_limit_is_refused(alice: Member, amount: str) -> None:
    with pytest.raises(ProductError) as caught:
        limit(alice, amount)
    assert (caught.value.code, caught.value.field) == ("invalid_amount", "company_limit")
    assert not BillingProfile.objects.filter(company_limit__isnull=False).exists()


@pytest.mark.parametrize("who", ["bob", "fiona"])
def test_only_administrators_set_the_limit(who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotAllowed):
        limit(request.getfixturevalue(who), "10")


def test_another_companys_purchases_and_limit_are_its_own(alice: Member, charlie: Member) -> None:
    bought(charlie, "1000")
    limit(charlie, "5")
    assert describe(alice.company, CARD, now=NOON).left_this_month == 2500


def test_setting_the_same_limit_twice_is_one_decision(alice: Member) -> None:
    for _number in range(2):
        limit(alice, "10")
    entry = AuditEntry.objects.get(verb="set_purchase_limit")
    assert (entry.member, entry.data) == (alice, {"company_limit": "10"})


def test_the_database_refuses_limits_below_nothing(alice: Member) -> None:
    with (
        pytest.raises(IntegrityError, match="billing_profile_limit_positive"),
        transaction.atomic(),
    ):
        BillingProfile.objects.create(company=alice.company, company_limit=0)
    with pytest.raises(IntegrityError, match="purchase_limit_not_negative"), transaction.atomic():
        PurchaseLimit.objects.create(
            way="card", currency="EUR", is_verified=True, single_most=-1, monthly_most=1
        )
