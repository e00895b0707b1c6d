"""Requests for credit as administrators read them. Its one rule: a fixed number of queries."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from credit.accounts import balances
from credit.models import CreditRequest, DailyTotal, Transfer
from members.models import Company, Member
from members.models.people import PRESENT
from skypemgr.lib.periods import first_of_month

OPEN_SHOWN = 100
ANSWERED_SHOWN = 20
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that waits, with what helps to answer it: amounts in the company's currency."""

    wish: CreditRequest
    balance: Decimal
    spent: Decimal
    received: Decimal


def count_open(company: Company) -> int:
    """How many requests of members still in the company wait for an answer. One query."""
    return CreditRequest.objects.filter(
        company=company, status=CreditRequest.Status.OPEN, member__status__in=PRESENT
    ).count()


def read_open(company: Company, today: date) -> list[OpenRequest]:
    """The requests that wait, oldest first, at most 100. Three queries."""
    wishes = list(
        CreditRequest.objects.filter(
            company=company, status=CreditRequest.Status.OPEN, member__status__in=PRESENT
        )
        .select_related("member__list", "member__user")
        .order_by("pk")[:OPEN_SHOWN]
    )
    ids = [wish.member_id for wish in wishes]
    purses = balances(company.pk, ids)
    months = {
        member_id: (incoming or ZERO, outgoing or ZERO)
        for member_id, incoming, outgoing in _months(company, ids, today)
    }
    return [
        OpenRequest(
            wish,
            balance=purses[wish.member_id].balance,
            received=months.get(wish.member_id, (ZERO, ZERO))[0],
            spent=months.get(wish.member_id, (ZERO, ZERO))[1],
        )
        for wish in wishes
    ]


def read_answered(company: Company) -> list[CreditRequest]:
    """The latest requests that wait no longer, newest first, at most 20. One query."""
    return list(
        CreditRequest.objects.filter(company=company)
        .exclude(status=CreditRequest.Status.OPEN)
        .select_related("member", "answered_by")
        .order_by("-answered_at", "-pk")[:ANSWERED_SHOWN]
    )


def read_own(member: Member, limit: int = ANSWERED_SHOWN) -> list[CreditRequest]:
    """The member's own latest requests, newest first. One query."""
    return list(
        CreditRequest.objects.filter(company=member.company, member=member)
        .select_related("answered_by")
        .order_by("-pk")[:limit]
    )


def _months(
    company: Company, member_ids: list[int], today: date
) -> list[tuple[int | None, Decimal | None, Decimal | None]]:
    """What the members received and what their calls took this month."""
    kinds = (Transfer.Kind.CALL, Transfer.Kind.ALLOCATION, Transfer.Kind.AUTO_RECHARGE)
    return list(
        DailyTotal.objects.filter(
            company=company,
            account__member__in=member_ids,
            day__gte=first_of_month(today),
            kind__in=kinds,
        )
        .values_list("account__member_id")
        .annotate(incoming=Sum("incoming"), outgoing=Sum("outgoing"))
    )
