"""Companies with many members, made by the database. Its one rule: rows are copies of rows that the
verbs made, so that they are as real ones are.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from credit.accounts import Accounts, ensure_accounts
from credit.allocation import Recipients
from credit.ledger import Move, post_transfers
from credit.models import Account
from credit.rules import RuleTerms, save_rules
from members.actors import Actor
from members.companies import create_company
from members.joining import add_member
from members.models import Company, Member, User
from skypemgr.lib.periods import utc_now


@dataclass(frozen=True)
class House:
    """A company with credit, its administrator and purses."""

    company: Company
    administrator: Member
    accounts: Accounts

    @property
    def actor(self) -> Actor:
        """Who decides."""
        return Actor.of_member(self.administrator)


def make_house(name: str, members: int, credit: int = 10**9) -> House:
    """A company with that many members with purses, and credit."""
    user = User.objects.create_user(name, f"{name}@example.com")
    company, administrator = create_company(
        name=name, country="FR", currency="EUR", time_zone="UTC", language="en", user=user
    )
    accounts = ensure_accounts(company)
    move = Move(
        "purchase", accounts.purchases, accounts.company, Decimal(credit), f"purchase:{name}"
    )
    post_transfers(company.pk, [move], now=utc_now())
    return add_members(House(company, administrator, accounts), members)


def add_members(house: House, count: int, *, armed: bool = False) -> House:
    """So many more members with empty purses; ``armed``: with a rule, and credit above its level.

    The armed credit is not in any transfer: such a house is for sweeps, not for verifying.
    """
    company = house.company
    first = Member.objects.filter(company=company).count()
    user = User.objects.create_user(f"{company.pk}-{first}", f"{company.pk}-{first}@example.com")
    template = add_member(company=company, user=user, name=f"M {first}")
    ensure_accounts(company, [template.pk])
    if armed:
        save_rules(
            actor=house.actor,
            recipients=Recipients(member_ids=(template.pk,)),
            terms=RuleTerms(Decimal(10), Decimal(5), Decimal(40)),
        )
    if count > 1:
        _copy_people(company, template, count - 1, first, armed=armed)
    purses = Account.objects.filter(company=company, kind="member")
    members = dict(purses.values_list("member_id", "pk")) if not armed else {}
    return House(company, house.administrator, ensure_accounts(company, members))


def _copy_people(
    company: Company, template: Member, count: int, first: int, *, armed: bool
) -> None:
    name = f"'{company.pk}-' || {first} || '-' || n"
    user, member, account = "members_user", "members_member", "credit_account"
    people = {"username": name, "email": f"{name} || '@example.com'"}
    pks = copy_rows(user, template.user_id, count, people)
    names = {"user_id": "given[n]", "name": f"'M ' || {first} || '-' || n"}
    pks = copy_rows(member, template.pk, count, names, pks)
    purse = Account.objects.get(member=template).pk
    copy_rows(account, purse, count, {"member_id": "given[n]"}, pks)
    if armed:
        rule = template.recharge_rule.pk
        copy_rows("credit_rechargerule", rule, count, {"member_id": "given[n]"}, pks)


def copy_rows(
    table: str, pk: int, count: int, changed: dict[str, str], given: list[int] | None = None
) -> list[int]:
    """Copies of the row with other values in some columns (SQL over ``n``); their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND table_schema = 'public' AND is_generated = 'NEVER' AND column_name <> 'id'",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall()]
        values = [changed.get(name, f"template.{name}") for name in columns]
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM {table} template, (SELECT %s::bigint[] AS given) AS wanted,"
            " generate_series(1, %s) AS n WHERE template.id = %s ORDER BY n RETURNING id",
            [given or [], count, pk],
        )
        return [row[0] for row in cursor.fetchall()]


def analyze() -> None:
    """The planner knows the tables, as it does after a while anyway."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
