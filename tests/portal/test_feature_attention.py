"""What the dashboard says of features: not paid, not covered, ending."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from billing.features.changing import cancel_feature
from billing.models import NumberArea, Plan
from billing.renewals import renew_due
from credit.accounts import company_balance
from members.models import Company, Member
from skypemgr.portal.queries.feature_attention import Line, feature_lines
from tests.billing.features.conftest import (
    NOON,
    at,
    french_number,
    give_number,
    give_plan,
    minutes,
    paris,
    rich,
    voicemail,
)
from tests.billing.test_leaving_races import of
from tests.conftest import ClientOf, give

__all__ = ["french_number", "minutes", "paris", "rich", "voicemail"]
pytestmark = pytest.mark.django_db


def lines(company: Company, now: datetime) -> list[Line]:
    return list(feature_lines(company, company.day_at(now), company_balance(company)))


def empty(member: Member, left: str = "0") -> None:
    """The company's balance is all given away but so much."""
    spare = company_balance(member.company) - Decimal(left)
    give(member, member, str(spare), now=NOON)


def test_a_company_whose_features_are_covered_needs_nothing(
    rich: Member,
    bob: Member,
    voicemail: Plan,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    give_plan(rich, voicemail, bob)
    with django_assert_max_num_queries(7):
        assert lines(rich.company, at("2026-02-20")) == []


def test_what_could_not_be_paid_is_told_with_the_first_loss(
    rich: Member, bob: Member, voicemail: Plan, french_number: Plan, paris: NumberArea
) -> None:
    give_plan(rich, voicemail, bob)
    give_number(rich, french_number, paris, bob)
    empty(rich)
    renew_due(now=at("2026-02-25"))
    ((kind, _icon, title, text, url, _action),) = lines(rich.company, at("2026-02-25"))
    assert (kind, title) == ("danger", "2 features could not be renewed")
    assert "7 March" in text
    assert url == "/features/renewals/?show=unpaid"


def test_renewals_of_the_week_that_are_not_covered_are_told_before(
    rich: Member, bob: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob)
    empty(rich, left="2")
    assert lines(rich.company, at("2026-02-17")) == []
    ((kind, _icon, title, text, _url, _action),) = lines(rich.company, at("2026-02-18"))
    assert (kind, title) == ("warning", "€3.00 are missing for renewals of the next seven days")
    assert "€5.00" in text


def test_a_number_that_ends_soon_is_told_to_whoever_might_want_it(
    rich: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    number = give_number(rich, french_number, paris, bob)
    cancel_feature(actor=of(rich), subscription_id=number.pk, now=NOON)
    assert lines(rich.company, at("2026-02-13")) == []
    ((_kind, _icon, title, _text, url, _action),) = lines(rich.company, at("2026-02-14"))
    assert title == "1 number ends by 28 February"
    assert url == "/features/number/"


def test_the_dashboard_leads_to_what_is_not_paid(
    rich: Member, bob: Member, voicemail: Plan, client_of: ClientOf
) -> None:
    give_plan(rich, voicemail, bob)
    empty(rich)
    with time_machine.travel(datetime(2026, 2, 25, 12, tzinfo=UTC), tick=False):
        renew_due()
        browser = client_of(rich)
        page = browser.get("/").content.decode()
        assert "1 feature could not be renewed" in page
        assert browser.get("/features/renewals/?show=unpaid").status_code == 200
