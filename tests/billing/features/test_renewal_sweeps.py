"""The sweeps of features reach every company and every feature, whatever is wrong with others."""

from datetime import date
from decimal import Decimal

import pytest

from billing import renewals
from billing.models import NumberArea, Plan, Subscription
from billing.renewal_news import announce_renewals
from billing.renewals import end_overdue, renew_due
from credit.accounts import company_balance, ensure_accounts
from credit.ledger import Move, post_transfers
from members.models import Company, Member, Notice
from tests.billing.features.conftest import NOON, at, give_number, give_plan
from tests.conftest import credit_company, give, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def later_company(rich: Member) -> Member:
    """The administrator of a company that comes after alice's, with 100."""
    company = Company.objects.create(
        name="Later", country="FR", currency="EUR", time_zone="Europe/Paris", language="fr"
    )
    anna = make_member(company, "anna", role="administrator")
    credit_company(company, "100", now=NOON)
    return anna


@pytest.mark.django_db(transaction=True)
def test_a_company_that_cannot_be_renewed_keeps_no_other_waiting(
    rich: Member, bob: Member, later_company: Member, voicemail: Plan
) -> None:
    feature = give_plan(rich, voicemail, bob).subscription_ids[0]
    give_plan(later_company, voicemail, later_company)
    accounts = ensure_accounts(rich.company)
    taken = Move(
        kind="feature",
        source=accounts.company,
        destination=accounts.features,
        amount=Decimal(1),
        key=f"feature:{feature}:2026-02-28",
    )
    post_transfers(rich.company_id, [taken], now=NOON)
    assert renew_due(now=at("2026-02-26")).paid_count == 1
    assert company_balance(later_company.company) == 96


def test_companies_that_cannot_pay_keep_no_later_one_out(
    rich: Member,
    bob: Member,
    later_company: Member,
    voicemail: Plan,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(renewals, "COMPANIES_AT_ONCE", 1)
    give_plan(rich, voicemail, bob)
    give(rich, rich, str(company_balance(rich.company)), now=NOON)
    give_plan(later_company, voicemail, later_company)
    renewed = renew_due(now=at("2026-02-26"))
    assert (renewed.paid_count, renewed.unpaid_count) == (1, 1)


def test_features_in_grace_keep_no_later_one_from_ending(
    rich: Member,
    bob: Member,
    french_number: Plan,
    voicemail: Plan,
    paris: NumberArea,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(renewals, "AT_ONCE", 1)
    number = give_number(rich, french_number, paris, bob)
    box = give_plan(rich, voicemail, bob).subscription_ids[0]
    give(rich, rich, str(company_balance(rich.company)), now=NOON)
    renew_due(now=at("2026-03-10"))
    assert end_overdue(now=at("2026-03-10")) == 1
    statuses = dict(Subscription.objects.values_list("pk", "status"))
    assert statuses == {number.pk: "grace", box: "ended"}
    assert Subscription.objects.get(pk=number.pk).grace_until == date(2026, 3, 30)


def test_a_company_that_cannot_be_told_keeps_no_other_from_being_told(
    rich: Member, bob: Member, later_company: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    give_plan(later_company, voicemail, later_company)
    Company.objects.filter(pk=rich.company_id).update(time_zone="Nowhere/At_All")
    announce_renewals(now=at("2026-02-18"))
    told = Notice.objects.filter(kind="renewals_soon").values_list("member", flat=True)
    assert list(told) == [later_company.pk]
