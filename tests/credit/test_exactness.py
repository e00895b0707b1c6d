"""Figures at which a wrong comparison or a wrong order would show."""

from datetime import date
from decimal import Decimal

import pytest

from credit.rating import Tariff
from credit.recharge_plan import plan_recharge


@pytest.mark.parametrize(
    ("balance", "paid"), [("5", "30"), ("5.0001", "30"), ("4.9999", "40"), ("25", "10")]
)
def test_the_steps_that_just_reach_the_level_are_enough(balance: str, paid: str) -> None:
    plan = plan_recharge(
        balance=Decimal(balance),
        threshold=Decimal(35),
        amount=Decimal(10),
        limit_left=Decimal(1000),
        company_available=Decimal(1000),
    )
    assert plan.paid == Decimal(paid)


@pytest.mark.parametrize(
    ("limit_left", "company", "paid", "is_unpaid"),
    [
        ("30", "30", "30", False),
        ("29.9999", "30", "29.9999", False),
        ("30", "29.9999", "20", True),
        ("0", "30", "0", False),
        ("25", "24.9999", "20", True),
    ],
)
def test_limit_and_company_credit_are_used_to_the_last_unit(
    limit_left: str, company: str, paid: str, is_unpaid: bool
) -> None:
    plan = plan_recharge(
        balance=Decimal(5),
        threshold=Decimal(35),
        amount=Decimal(10),
        limit_left=Decimal(limit_left),
        company_available=Decimal(company),
    )
    assert (plan.paid, plan.is_unpaid) == (Decimal(paid), is_unpaid)


@pytest.mark.parametrize(("seconds", "billed"), [(1, 12), (10, 12), (12, 12), (13, 18)])
def test_the_minimum_comes_before_the_increment(seconds: int, billed: int) -> None:
    price, day = Decimal("0.6"), date(2025, 1, 1)
    tariff = Tariff(1, "FR", "mobile", price, Decimal(0), 10, 6, day)
    assert tariff.billed_seconds(seconds) == billed
