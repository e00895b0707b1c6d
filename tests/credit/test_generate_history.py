"""A made-up past: as the ledger would have written it, never in production."""

from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from pytest_django import Settings

from credit.closing import verify_closings
from credit.figures import Level, totals
from credit.models import Account, Call, DailyTotal, Transfer, UsageLate, UsageRolled
from credit.usage import EVERYBODY, By, started_earlier, usage_by, usage_total
from credit.usage_members import usage_of_members
from credit.verification import verify_ledger
from members.models import Company, Member, MemberPlacement
from skypemgr.lib.periods import utc_now
from tests.conftest import credit_company
from tests.credit.usage_kit import Facts, told

pytestmark = pytest.mark.django_db


def generate(company: Company, **options: int) -> str:
    written = StringIO()
    wanted = {"members": 60, "calls": 3_000, "months": 8, **options}
    call_command("generate_history", company=company.pk, stdout=written, **wanted)
    return written.getvalue()


def test_the_command_writes_a_past_that_verifies(acme: Company, charlie: Member) -> None:
    credit_company(charlie.company, "7")
    told_lines = generate(acme)
    assert "3,000 calls" in told_lines
    assert Call.objects.filter(company=acme).count() == 3_000
    assert Member.objects.filter(company=acme).count() == 60
    assert verify_ledger() == []
    assert verify_closings() == []
    assert not DailyTotal.objects.filter(
        company=acme, is_rolled=False, day__lt=acme.day_at(utc_now())
    ).exists()
    rolled = UsageRolled.objects.get(company=acme)
    assert rolled.through >= acme.day_at(utc_now()) - timedelta(days=2)
    assert not UsageLate.objects.exists()
    assert Transfer.objects.filter(company=charlie.company).count() == 1


def test_three_years_of_a_company_verify(acme: Company) -> None:
    generate(acme, members=400, calls=8_000, months=36)
    assert verify_ledger() == []
    calls = Call.objects.filter(company=acme)
    sums = calls.aggregate(Sum("price"), Sum("collected"), Sum("uncollected"))
    assert Decimal(0) < sums["uncollected__sum"] < sums["price__sum"] / 5
    assert min(Account.objects.filter(company=acme).values_list("balance", flat=True)) >= 0
    assert len(set(calls.values_list("booked_on__year", "booked_on__month"))) >= 35


def test_its_usage_is_what_its_calls_say_and_meets_the_movements(acme: Company) -> None:
    generate(acme)
    today = acme.day_at(utc_now())
    facts = Facts(acme)
    first = (today.replace(day=1) - timedelta(days=75)).replace(day=1)
    for span in ((first, today), (first, first.replace(day=27)), (date(2000, 1, 1), today)):
        for by in By:
            expected = facts.usage(*span, by, EVERYBODY)
            assert told(usage_by(acme, *span, by=by)) == expected
        members = usage_of_members(acme, *span, page_size=100)
        assert {
            row.member_id: (row.started, row.booked_in_span) for row in members.rows
        } == facts.members(*span, EVERYBODY)
        spent = sum(
            (row.outgoing for row in totals(acme, *span, Level.MEMBERS) if row.kind == "call"),
            Decimal(0),
        )
        earlier = sum((row.measures.collected for row in started_earlier(acme, *span)), Decimal(0))
        assert usage_total(acme, *span).booked_in_span.collected + earlier == spent
    assert any(call.started_on < call.booked_on - timedelta(days=1) for call in facts.calls)
    assert MemberPlacement.objects.filter(company=acme, cost_centre__startswith="Z").exists()


def test_a_company_with_a_past_of_its_own_is_left_alone(acme: Company) -> None:
    credit_company(acme, "7")
    with pytest.raises(CommandError, match="past already"):
        generate(acme)
    assert Transfer.objects.filter(company=acme).count() == 1
    assert Member.objects.filter(company=acme).count() == 1


def test_production_refuses_a_made_up_past(acme: Company, settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="not for production"):
        generate(acme)


@pytest.mark.parametrize("wrong", [{"members": 0}, {"calls": -1}, {"months": 121}])
def test_a_wish_that_cannot_be_is_refused(acme: Company, wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match=next(iter(wrong))):
        generate(acme, **wrong)
