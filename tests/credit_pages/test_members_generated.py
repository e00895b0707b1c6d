"""Made-up members: as the verbs leave them, never in production."""

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from credit.models import Call, RechargeRule
from credit.verification import verify_ledger
from members.models import Member, MemberPlacement
from tests.conftest import make_company


def names_of(company_id: int) -> list[str]:
    members = Member.objects.filter(company=company_id).order_by("pk")
    return [member.name for member in members]


def test_the_command_makes_members_whose_ledger_verifies(alice: Member) -> None:
    call_command("generate_members", company=alice.company_id, count=50)
    made = Member.objects.filter(company=alice.company).exclude(pk=alice.pk)
    assert made.count() == 50
    assert MemberPlacement.objects.filter(member__in=made).count() == 50
    assert Call.objects.filter(company=alice.company).count() == 75
    assert RechargeRule.objects.filter(company=alice.company).exists()
    assert not any(member.user.has_usable_password() for member in made.select_related("user"))
    assert verify_ledger() == []


def test_the_same_seed_makes_the_same_people(alice: Member) -> None:
    other = make_company("Twin", "dora")
    for company in (alice.company_id, other.company_id):
        call_command("generate_members", company=company, count=20, seed=5)
    assert names_of(alice.company_id)[1:] == names_of(other.company_id)[1:]


def test_production_refuses_made_up_members(alice: Member, settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="not for production"):
        call_command("generate_members", company=alice.company_id, count=5)
    assert Member.objects.filter(company=alice.company).count() == 1


@pytest.mark.parametrize(("company", "count"), [(0, 5), (None, 0), (None, -1)])
def test_a_wish_that_cannot_be_is_refused(alice: Member, company: int | None, count: int) -> None:
    chosen = alice.company_id if company is None else company
    with pytest.raises(CommandError):
        call_command("generate_members", company=chosen, count=count)
    assert Member.objects.count() == 1
