"""Allocation: credit from the company to members. Its one rule: it cannot be taken back."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from credit.accounts import company_balance, ensure_accounts
from credit.errors import CreditError, MemberGone, NobodyChosen, NotEnoughCredit, UnknownMember
from credit.ledger import MOVES_LIMIT, PURSE_COLUMNS, Move, Posting, Purse, atomically
from credit.member_filters import MemberFilters, filtered_members
from credit.models import Transfer
from credit.money import ZERO, checked_amount, require_active, require_active_state
from credit.posting_sql import COMPANY, PURSE
from credit.requests import (
    BEGUN,
    OutsideKey,
    answer_once,
    answer_statement,
    begin_statement,
    first_answer,
)
from members.actors import Actor
from members.audit import entry
from members.models import Member
from members.models.people import PRESENT as PRESENT_STATUSES
from members.models.people import Role
from skypemgr.lib.arrays import array
from skypemgr.lib.formats import format_money
from skypemgr.lib.periods import utc_now
from skypemgr.lib.prepared import Prepared, fetch_all

LARGEST_ID = 2**63 - 1
ALLOCATION = Transfer.Kind.ALLOCATION.value
# Whoever is named, before the purses, in the order in which removing takes them.
HOLD_NAMED = Prepared("""
SELECT id
  FROM members_member
 WHERE company_id = %(company)s AND id = ANY(%(members)s::bigint[])
 ORDER BY id
   FOR SHARE
""")
# Sent along with what begins the request and holds the members. One row at least; purses are locked
# and told only if the request is new, and all who are named may receive and have purses.
OPEN_NAMED = Prepared(f"""
WITH begun AS MATERIALIZED (
  {BEGUN}
), wanted AS MATERIALIZED (
  SELECT account.id
    FROM members_member member
    JOIN credit_account account ON account.member_id = member.id
   WHERE member.company_id = %(company)s AND member.id = ANY(%(members)s::bigint[])
     AND member.status IN ('active', 'suspended')
), purse AS MATERIALIZED (
  SELECT {PURSE}
    FROM credit_account
   WHERE id = ANY(ARRAY(
           SELECT id FROM wanted
            UNION ALL
           SELECT id FROM credit_account
            WHERE company_id = %(company)s AND kind = 'company' AND member_id IS NULL))
     AND EXISTS (SELECT FROM begun)
     AND (SELECT count(*) FROM wanted) = cardinality(%(members)s::bigint[])
   ORDER BY id
     FOR NO KEY UPDATE
)
SELECT begun.id, purse.*, {COMPANY}
  FROM members_company company
  LEFT JOIN begun ON true
  LEFT JOIN purse ON true
 WHERE company.id = %(company)s
""")  # noqa: S608 - constants
# Before the purses, in the order in which removing takes them.
HOLD_PRESENT = Prepared("""
SELECT id
  FROM members_member
 WHERE company_id = %(company)s AND id = ANY(%(members)s::bigint[])
   AND status IN ('active', 'suspended')
 ORDER BY id
   FOR SHARE
""")


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is to receive: named members, or everybody active in a list, or everybody active, or
    whoever the filters leave at the moment of acting and is still in the company.
    """

    member_ids: tuple[int, ...] = ()
    list_id: int | None = None
    all_members: bool = False
    filters: MemberFilters | None = None

    @property
    def are_named(self) -> bool:
        """Whether each is named by id."""
        return self.filters is None and self.list_id is None and not self.all_members


@dataclass(frozen=True, slots=True)
class Allocation:
    """What an allocation did. ``amount`` is what each received, ``total`` the sum."""

    id: int
    amount: Decimal
    total: Decimal
    transfers_count: int
    company_balance_after: Decimal


@dataclass(frozen=True, slots=True)
class AllocationPreview:
    """What an allocation would do; nothing is reserved."""

    members: QuerySet[Member]
    count: int
    total: Decimal
    company_balance: Decimal
    company_balance_after: Decimal


def recipients_query(actor: Actor, recipients: Recipients) -> QuerySet[Member]:
    """The members who would receive, by name. UnknownMember, MemberGone or NobodyChosen else.

    A suspended member can be named, or left by filters; a list or *all* takes active members,
    whatever their role.
    """
    members = Member.objects.filter(company=actor.company)
    if recipients.filters is not None:
        today = actor.company.day_at(utc_now())
        members = filtered_members(actor.company, recipients.filters, today=today)
        members = members.filter(status__in=PRESENT_STATUSES)
        if recipients.filters.errors or not members.exists():
            raise NobodyChosen(_("Nobody in the company fits these filters."), field="members")
        return members.order_by("name_key", "pk")
    if recipients.all_members or recipients.list_id is not None:
        members = members.filter(status=Member.Status.ACTIVE)
        if not recipients.all_members:
            members = members.filter(list_id=recipients.list_id)
        if not members.exists():
            raise NobodyChosen(_("There is no active member to give credit to."), field="members")
        return members.order_by("name_key", "pk")
    wanted = set(recipients.member_ids)
    if not wanted:
        raise NobodyChosen(_("Choose at least one member."), field="members")
    members = members.filter(pk__in=wanted)
    statuses = dict(members.values_list("pk", "status"))
    unknown = sorted(wanted - statuses.keys())
    if unknown:
        raise UnknownMember(
            _("There is no member %(id)s in your company.") % {"id": unknown[0]}, field="members"
        )
    gone = [pk for pk, status in statuses.items() if status not in PRESENT_STATUSES]
    if gone:
        name = members.get(pk=min(gone)).name
        raise MemberGone(
            _("%(name)s is no longer in the company and cannot receive credit.") % {"name": name},
            field="members",
        )
    return members.order_by("name_key", "pk")


def preview_allocation(
    *, actor: Actor, recipients: Recipients, amount: Decimal | None
) -> AllocationPreview:
    """Who would receive how much, and what would be left; the amount may be unknown yet."""
    actor.require(Role.ADMINISTRATOR, Role.FINANCE)
    members = recipients_query(actor, recipients)
    count = members.count()
    total = (amount or ZERO) * count
    balance = company_balance(actor.company)
    return AllocationPreview(members, count, total, balance, balance - total)


def allocate(
    *,
    actor: Actor,
    amount: Decimal,
    recipients: Recipients,
    request: OutsideKey,
    now: datetime | None = None,
) -> Allocation:
    """Each recipient has received the amount and the company's balance has paid the sum; all or
    nothing, once for the request's key. It cannot be taken back.

    Raises NotAllowed, CompanyNotActive, InvalidAmount, UnknownMember, MemberGone, NobodyChosen,
    NotEnoughCredit, IdempotencyConflict.
    """
    actor.require_administrator()
    require_active(actor.company)
    each = checked_amount(amount)
    instant = now or utc_now()

    named = _named(recipients)
    if named:
        answer = atomically(lambda: _allocate_named(actor, each, recipients, request, instant))
    else:
        answer = atomically(
            lambda: answer_once(
                actor.company.pk,
                request,
                lambda pk: _allocate_chosen(actor, each, recipients, pk, instant),
                work_stores=True,
            )
        )
    return Allocation(
        id=answer["id"],
        amount=Decimal(answer["amount"]),
        total=Decimal(answer["total"]),
        transfers_count=answer["transfers"],
        company_balance_after=Decimal(answer["company_balance_after"]),
    )


def _named(recipients: Recipients) -> list[int]:
    """Who is named by id, if all of these can be ids; in order."""
    wanted = sorted(set(recipients.member_ids)) if recipients.are_named else []
    return wanted if wanted and wanted[0] > 0 and wanted[-1] <= LARGEST_ID else []


def _allocate_named(
    actor: Actor, each: Decimal, recipients: Recipients, request: OutsideKey, now: datetime
) -> dict[str, Any]:
    """One round trip opens everything when all who are named may receive and have purses, as nearly
    always."""
    company_id = actor.company.pk
    values = {"company": company_id, "members": array(_named(recipients))}
    rows = fetch_all(
        begin_statement(company_id, request), (HOLD_NAMED, values), (OPEN_NAMED, values)
    )
    request_id = rows[0][0]
    if request_id is None:
        return first_answer(company_id, request)
    if rows[0][1] is None:
        return _allocate_chosen(actor, each, recipients, request_id, now)
    purses = {row[1]: Purse(*row[1 : PURSE_COLUMNS + 1]) for row in rows}
    posting = Posting.over(company_id, purses, rows[0][PURSE_COLUMNS + 1 :], now=now)
    return _post(actor, each, posting, request_id)


def _allocate_chosen(
    actor: Actor, each: Decimal, recipients: Recipients, request_id: int, now: datetime
) -> dict[str, Any]:
    """Those chosen are read and held, and purses opened where there are none. Who is removed
    meanwhile was waited for, and receives nothing.
    """
    # One more than may be, so that too many are noticed without reading them all.
    pks = recipients_query(actor, recipients).values_list("pk", flat=True)[: MOVES_LIMIT + 1]
    if len(pks) > MOVES_LIMIT:
        raise _too_many()
    held = _hold_present(actor, recipients, list(pks))
    accounts = ensure_accounts(actor.company, held)
    # The keys come from the request's new row, so no transfer can have them yet.
    opened = (accounts.company, *accounts.members.values())
    posting = Posting.open(actor.company.pk, opened, keys=(), now=now)
    return _post(actor, each, posting, request_id)


def _hold_present(actor: Actor, recipients: Recipients, wanted: list[int]) -> list[int]:
    """Those who are still there and cannot be removed now; MemberGone if somebody named is not."""
    values = {"company": actor.company.pk, "members": array(wanted)}
    held = [pk for (pk,) in fetch_all((HOLD_PRESENT, values))]
    if len(held) < len(wanted) and (not held or recipients.are_named):
        recipients_query(actor, recipients)
        raise NobodyChosen(_("Choose at least one member."), field="members")
    return held


def _too_many() -> CreditError:
    return CreditError(
        _("At most 10,000 members can receive credit at once."),
        code="too_many_members",
        field="members",
    )


def _post(actor: Actor, each: Decimal, posting: Posting, request_id: int) -> dict[str, Any]:
    purses = [purse for purse in posting.purses.values() if purse.member_id is not None]
    company = next(purse for purse in posting.purses.values() if purse.member_id is None)
    if len(purses) > MOVES_LIMIT:
        raise _too_many()
    total = each * len(purses)
    require_active_state(posting.company_state)
    if company.available < total:
        raise NotEnoughCredit(
            _("The company's credit is too low: %(total)s are needed, %(available)s are there.")
            % {
                "total": format_money(total, company.currency),
                "available": format_money(company.available, company.currency),
            },
            field="amount",
        )
    actor_id = actor.member.pk if actor.member else None
    for purse in purses:
        posting.transfer(
            Move(
                kind=ALLOCATION,
                source=company.id,
                destination=purse.id,
                amount=each,
                key=f"allocation:{request_id}:{purse.member_id}",
                actor_id=actor_id,
            )
        )
    decision = entry(
        actor,
        "allocate",
        subject=f"allocation:{request_id}",
        amount=each,
        total=total,
        members_count=len(purses),
    )
    answer = {
        "id": request_id,
        "amount": str(each),
        "total": str(total),
        "transfers": len(purses),
        "company_balance_after": str(company.balance),
    }
    posting.write(decision, answer_statement(request_id, answer))
    return answer
