"""Allocations one by one, a posting of 1,000 moves, and the same work in hand-written SQL."""

import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from credit.accounts import Accounts, ensure_accounts
from credit.allocation import Recipients, allocate
from credit.ledger import Move, post_transfers
from credit.requests import OutsideKey
from credit.verification import verify_ledger
from members.actors import Actor
from members.companies import create_company
from members.joining import add_member
from members.models import Company, Member, User
from skypemgr.lib.periods import utc_now

SINGLES = 1000
SET = 1000
ROUNDS = 7

# The same rows, keys, locks, balances, versions and totals, told to the database directly.
BY_HAND = """
WITH locked AS MATERIALIZED (
  SELECT id, kind, balance, version FROM credit_account
   WHERE id = %(company_account)s OR id = ANY(%(members)s::bigint[])
   ORDER BY id FOR NO KEY UPDATE
), moved AS (
  INSERT INTO credit_transfer (
    company_id, kind, source_id, source_kind, destination_id, destination_kind, currency, amount,
    key, booked_on, occurred_at, created_at, source_balance_after, source_version,
    destination_balance_after, destination_version)
  SELECT %(company)s, 'allocation', source.id, 'company', member.id, 'member', 'EUR', %(amount)s,
         %(prefix)s || place, current_date, now(), now(),
         source.balance - %(amount)s * place, source.version + place,
         member.balance + %(amount)s, member.version + 1
    FROM unnest(%(members)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
    JOIN locked member ON member.id = wanted.id
    JOIN locked source ON source.kind = 'company'
  RETURNING destination_id
), balanced AS (
  UPDATE credit_account account
     SET balance = account.balance + CASE account.kind WHEN 'company'
           THEN -%(amount)s * %(count)s ELSE %(amount)s END,
         version = account.version + CASE account.kind WHEN 'company' THEN %(count)s ELSE 1 END,
         last_booked_on = current_date
    FROM locked WHERE account.id = locked.id
)
INSERT INTO credit_dailytotal AS total (
  company_id, account_id, day, kind, incoming, outgoing, moves_count)
SELECT %(company)s, id, current_date, 'allocation',
       CASE kind WHEN 'company' THEN 0 ELSE %(amount)s END,
       CASE kind WHEN 'company' THEN %(amount)s * %(count)s ELSE 0 END,
       CASE kind WHEN 'company' THEN %(count)s ELSE 1 END
  FROM locked
ON CONFLICT (account_id, day, kind) DO UPDATE
   SET incoming = total.incoming + excluded.incoming,
       outgoing = total.outgoing + excluded.outgoing,
       moves_count = total.moves_count + excluded.moves_count
"""


def prepare() -> tuple[Company, Member, Accounts]:
    """A company with credit, its administrator and a thousand members with purses."""
    user = User.objects.create_user("bench", "bench@example.com")
    company, administrator = create_company(
        name="Bench",
        country="FR",
        currency="EUR",
        time_zone="UTC",
        language="en",
        user=user,
    )
    with transaction.atomic():
        members = [
            add_member(company=company, user=User.objects.create_user(f"m{n:04}"), name=f"M {n}")
            for n in range(SET)
        ]
    accounts = ensure_accounts(company, [member.pk for member in members])
    credit = Move("purchase", accounts.purchases, accounts.company, Decimal(10**9), "purchase:0")
    post_transfers(company.pk, [credit], now=utc_now())
    return company, administrator, accounts


def median_rate(work: Callable[[], int]) -> float:
    """Moves a second in the middle one of several rounds."""
    rates = []
    for _round in range(ROUNDS):
        started = time.perf_counter()
        count = work()
        rates.append(count / (time.perf_counter() - started))
    return sorted(rates)[ROUNDS // 2]


def measure() -> Iterator[tuple[str, str]]:
    """Each subject with its figure."""
    company, administrator, accounts = prepare()
    actor = Actor.of_member(administrator)
    member_ids = list(accounts.members)

    def singles() -> int:
        for member_id in member_ids[: SINGLES // ROUNDS]:
            allocate(
                actor=actor,
                amount=Decimal("0.01"),
                recipients=Recipients(member_ids=(member_id,)),
                request=OutsideKey.of_form(str(uuid.uuid4()), None),
            )
        return SINGLES // ROUNDS

    def one_set() -> int:
        prefix = uuid.uuid4()
        moves = [
            Move("allocation", accounts.company, purse, Decimal("0.01"), f"{prefix}:{purse}")
            for purse in accounts.members.values()
        ]
        return len(post_transfers(company.pk, moves, now=utc_now()))

    def by_hand() -> int:
        parameters: dict[str, Any] = {
            "company": company.pk,
            "company_account": accounts.company,
            "members": list(accounts.members.values()),
            "amount": Decimal("0.01"),
            "count": SET,
            "prefix": f"hand:{uuid.uuid4()}:",
        }
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(BY_HAND, parameters)
        return SET

    by_hand()
    single_rate = median_rate(singles)
    set_rate, hand_rate = median_rate(one_set), median_rate(by_hand)
    yield "allocate(), one at a time, one process", f"{single_rate:,.0f}/s"
    yield "post_transfers() of 1,000 moves", f"{set_rate:,.0f} moves/s"
    yield "the same 1,000 moves in hand-written SQL", f"{hand_rate:,.0f} moves/s"
    yield "post_transfers() against hand-written SQL", f"{set_rate / hand_rate:.2f}"
    differences = verify_ledger()
    if differences:
        raise AssertionError(differences[:5])
    yield "ledger verified afterwards", "no difference"
