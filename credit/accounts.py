"""Opens purses and reads balances. Its one rule: no account means balance 0, everywhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from credit.models import Account
from credit.money import ZERO
from members.models import Company
from skypemgr.lib.arrays import array
from skypemgr.lib.prepared import Prepared, fetch_all

SYSTEM_KINDS = ("purchases", "calls", "features", "adjustments")
FIND = Prepared("""
SELECT kind, member_id, id FROM credit_account
 WHERE company_id = %(company)s AND member_id IS NULL
 UNION ALL
SELECT kind, member_id, id FROM credit_account
 WHERE company_id = %(company)s AND member_id = ANY(%(members)s::bigint[])
""")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Ids of a company's accounts; ``members`` maps member to account id."""

    company: int
    purchases: int
    calls: int
    features: int
    adjustments: int
    members: dict[int, int]


@dataclass(frozen=True, slots=True)
class Balance:
    """What a purse holds, in the company's currency."""

    balance: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """What may be spent now."""
        return self.balance - self.held


def ensure_accounts(company: Company, member_ids: Iterable[int] = ()) -> Accounts:
    """The company's accounts and the named members' purses exist; the currency is fixed.

    The members must be of the company (the database refuses others). One query when all exist.
    """
    wanted = sorted(set(member_ids))
    found = _find(company.pk, wanted)
    if found is None:
        _open(company, wanted)
        found = _find(company.pk, wanted)
    if found is None:
        raise AssertionError("accounts just opened are not there")
    return found


def _find(company_id: int, member_ids: Sequence[int]) -> Accounts | None:
    rows = fetch_all((FIND, {"company": company_id, "members": array(member_ids)}))
    by_kind = {kind: pk for kind, member_id, pk in rows if member_id is None}
    members = {member_id: pk for _, member_id, pk in rows if member_id is not None}
    if len(by_kind) < 1 + len(SYSTEM_KINDS) or len(members) < len(member_ids):
        return None
    return Accounts(
        company=by_kind["company"],
        members=members,
        **{kind: by_kind[kind] for kind in SYSTEM_KINDS},
    )


def _open(company: Company, member_ids: Sequence[int]) -> None:
    """Company first, so that its purse has the lowest id and is locked first."""
    kinds = ["company", *SYSTEM_KINDS, *("member" for _ in member_ids)]
    members = [None] * (1 + len(SYSTEM_KINDS)) + list(member_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_company SET currency_fixed_at = coalesce(currency_fixed_at, now())"
            " WHERE id = %s RETURNING currency",
            [company.pk],
        )
        currency = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO credit_account (company_id, kind, member_id, currency, balance, held,"
            " version) SELECT %s, kind, member, %s, 0, 0, 0"
            " FROM unnest(%s::text[], %s::bigint[]) WITH ORDINALITY AS new (kind, member, place)"
            " ORDER BY place ON CONFLICT DO NOTHING",
            [company.pk, currency, kinds, members],
        )


def balances(company_id: int, member_ids: Iterable[int]) -> dict[int, Balance]:
    """Each named member's balance; members without a purse have 0. One query."""
    wanted = list(member_ids)
    rows = Account.objects.filter(company_id=company_id, member_id__in=wanted).values_list(
        "member_id", "balance", "held"
    )
    found = {pk: Balance(balance, held) for pk, balance, held in rows}
    return {pk: found.get(pk, Balance()) for pk in wanted}


def purse_of_company(company: Company | int) -> QuerySet[Account]:
    """The company's own purse, one row once it is opened: named by all that its index knows."""
    return Account.objects.filter(company=company, kind=Account.Kind.COMPANY, member=None)


def company_balance(company: Company) -> Decimal:
    """The balance of the company's purse. One query."""
    return purse_of_company(company).values_list("balance", flat=True).first() or ZERO


def arm_purse(account_id: int, below: Decimal | None, resumes_on: date | None = None) -> None:
    """The purse is due from now on when its balance is below the level; None disarms it."""
    Account.objects.filter(pk=account_id).update(
        recharge_below=below, recharge_resumes_on=resumes_on
    )


def watch_purse(account_id: int, below: Decimal | None, looked_version: int | None) -> None:
    """Crossings of the level after that version of the company's purse are found; None: none."""
    Account.objects.filter(pk=account_id).update(
        alert_below=below, alert_looked_version=looked_version
    )
