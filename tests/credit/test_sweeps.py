"""Sweeps share their work and take it in batches."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction

from credit import sweeps
from credit.accounts import ensure_accounts
from credit.allocation import Recipients
from credit.ledger import Move, post_transfers
from credit.models import Account, RechargeRule, Transfer
from credit.rules import RuleTerms, save_rules
from credit.sweeps import resume_rules, sweep_due_purses
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import Company, Member
from tests.conftest import credit_company, make_member
from tests.credit.test_races import at_once

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def staff(alice: Member) -> list[Member]:
    """Five members whose rules wait for credit."""
    members = [make_member(alice.company, f"member{n}") for n in range(5)]
    save_rules(
        actor=Actor.of_member(alice),
        recipients=Recipients(member_ids=tuple(member.pk for member in members)),
        terms=RuleTerms(Decimal(10), Decimal(5), Decimal(10)),
        now=NOON,
    )
    credit_company(alice.company, "1000", now=NOON)
    return members


@pytest.mark.django_db(transaction=True)
def test_a_rule_that_another_worker_holds_is_left_to_it(staff: list[Member]) -> None:
    with transaction.atomic():
        list(RechargeRule.objects.filter(member=staff[0]).select_for_update(no_key=True))
        assert at_once([lambda: sweep_due_purses(now=NOON)]) == [4]
    assert sweep_due_purses(now=NOON) == 1
    assert Transfer.objects.filter(kind="auto_recharge").count() == 5
    assert verify_ledger() == []


@pytest.mark.django_db
def test_small_batches_do_all_the_work(
    staff: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "BATCH", 2)
    monkeypatch.setattr(sweeps, "RESUMED_AT_ONCE", 2)
    assert sweep_due_purses(now=NOON) == 5
    suspended = Account.objects.filter(recharge_resumes_on__isnull=False)
    assert suspended.count() == 5
    assert resume_rules(now=NOON) == 0
    assert resume_rules(now=APRIL) == 5
    assert suspended.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_company_that_cannot_be_evaluated_keeps_no_other_waiting(
    staff: list[Member], alice: Member
) -> None:
    account = Account.objects.get(member=staff[0])
    accounts = ensure_accounts(alice.company)
    taken = Move(
        kind=Transfer.Kind.FEATURE,
        source=accounts.company,
        destination=accounts.features,
        amount=Decimal(1),
        key=f"recharge:{account.pk}:{account.version}",
    )
    post_transfers(alice.company_id, [taken], now=NOON)
    later = Company.objects.create(
        name="Later", country="FR", currency="EUR", time_zone="Europe/Paris", language="fr"
    )
    anna = make_member(later, "anna", role="administrator")
    save_rules(
        actor=Actor.of_member(anna),
        recipients=Recipients(member_ids=(anna.pk,)),
        terms=RuleTerms(Decimal(10), Decimal(5), Decimal(10)),
        now=NOON,
    )
    credit_company(later, "100", now=NOON)
    assert sweep_due_purses(now=NOON) == 1
    assert Account.objects.get(member=anna).balance == 10
