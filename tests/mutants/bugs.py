"""The planted bugs. Its one rule: each is a small change of text that is found exactly once."""

from tests.mutants.feature_bugs import MINUTES_BUGS, RENEWAL_BUGS
from tests.mutants.planting import Bug, Change, bug
from tests.mutants.purchase_bugs import PURCHASE_LIMIT_BUGS, STRIPE_BUGS

LEDGER, SQL = "credit/ledger.py", "credit/posting_sql.py"
GUARDS = "credit/migrations/0002_guards.py"
MACHINE = "tests/credit/test_machine.py"
RACES = "tests/credit/test_races.py"
KEYS = "tests/credit/test_ledger_keys.py"
RECHARGE = "tests/credit/test_recharge.py"
CALLS = "tests/credit/test_calls.py"
RATING = "tests/credit/test_rating.py"
EXACT = "tests/credit/test_exactness.py"
HOLDS = "tests/credit/test_holds.py"
LIMITS = "tests/credit/test_ledger_constraints.py"
MOVES = "tests/credit/test_ledger.py"
GOING = "tests/billing/test_leaving_races.py"

LEDGER_BUGS = (
    bug(
        "no lock",
        SQL,
        "   ORDER BY id\n     FOR NO KEY UPDATE\n",
        "   ORDER BY id\n",
        f"{RACES}::test_200_allocations_at_once_from_credit_for_100_make_exactly_100",
    ),
    bug(
        "no lock where members are named",
        "credit/allocation.py",
        "   ORDER BY id\n     FOR NO KEY UPDATE\n",
        "   ORDER BY id\n",
        f"{RACES}::test_200_allocations_at_once_from_credit_for_100_make_exactly_100",
    ),
    Bug(
        "key looked up before the lock",
        (
            Change(
                LEDGER,
                "        rows = fetch_all((posting_sql.LOCK_PURSES,",
                "        found = fetch_all((posting_sql.LOOK_UP, "
                '{"company": company_id, "keys": texts([*keys])}))\n'
                "        rows = fetch_all((posting_sql.LOCK_PURSES,",
            ),
            Change(
                LEDGER,
                "        found: list[tuple[Any, ...]] = []\n"
                "        if keys or not rows:\n"
                "            found = fetch_all((posting_sql.LOOK_UP, "
                '{"company": company_id, "keys": texts(keys)}))\n',
                "",
            ),
        ),
        (f"{KEYS}::test_a_key_that_is_posted_while_another_waits_for_the_lock_is_found",),
    ),
    bug(
        "a key taken meanwhile is a failure",
        LEDGER,
        'TAKEN_MEANWHILE = ("transfer_key_unique", ',
        "TAKEN_MEANWHILE = (",
        f"{KEYS}::test_a_key_taken_at_once_on_other_purses_is_a_conflict_and_no_failure",
    ),
    bug(
        "<= for < in what a purse can pay",
        LEDGER,
        "source.available < amount",
        "source.available <= amount",
        f"{CALLS}::test_what_is_missing_is_uncollected_and_never_collected_later",
    ),
    bug(
        "funds are not checked",
        LEDGER,
        "if source.is_purse and source.available < amount:",
        "if False:",
        f"{MOVES}::test_a_source_without_funds_in_the_middle_refuses_the_whole_batch_and_is_named",
    ),
    bug(
        "hold not counted",
        LEDGER,
        "return self.balance - self.held",
        "return self.balance",
        f"{HOLDS}::test_held_credit_is_not_for_another_call",
    ),
    bug(
        "version not counted",
        LEDGER,
        "purse.version += 1",
        "purse.version += 0",
        f"{MOVES}::test_a_posting_moves_the_amount_and_keeps_balances_versions_and_totals",
    ),
    bug(
        "totals of members forgotten",
        LEDGER,
        "            if purses[account].is_purse:\n",
        '            if purses[account].kind == "company":\n',
        f"{MOVES}::test_a_posting_moves_the_amount_and_keeps_balances_versions_and_totals",
    ),
    bug(
        "totals replaced, not added to",
        SQL,
        "incoming = total.incoming + excluded.incoming",
        "incoming = excluded.incoming",
        MACHINE,
    ),
    bug(
        "month from UTC",
        LEDGER,
        "today = day_in(zone, now)",
        'today = day_in("UTC", now)',
        f"{MOVES}::test_the_booking_day_is_the_companys_and_never_earlier_than_the_purses_last",
    ),
    bug(
        "booked into the past",
        LEDGER,
        "if last is not None and last > day:",
        "if False:",
        f"{MOVES}::test_the_booking_day_is_the_companys_and_never_earlier_than_the_purses_last",
    ),
    bug(
        "another amount under a known key is the same",
        LEDGER,
        "    if not same:\n",
        "    if False:\n",
        f"{MOVES}::test_a_key_with_another_amount_is_a_conflict_and_changes_nothing",
    ),
    bug(
        "idempotency row looked for, not taken",
        "credit/requests.py",
        'ON CONFLICT (company_id, key) DO NOTHING RETURNING id"',
        'RETURNING id"',
        f"{RACES}::test_one_form_sent_twenty_times_at_once_allocates_once",
    ),
    bug(
        "another content under a used key is the same",
        "credit/requests.py",
        "first.content_hash != request.content_hash",
        "False",
        f"{KEYS}::test_a_refused_request_leaves_no_row_and_its_key_can_be_used_again",
    ),
)

DATABASE_BUGS = (
    bug(
        "reversal trigger missing",
        GUARDS,
        "        migrations.RunSQL(REVERSALS, DROP_REVERSALS),\n",
        "",
        f"{LIMITS}::test_reversals_above_the_reversed_in_sum",
    ),
    bug(
        "transfers can be changed",
        GUARDS,
        "        migrations.RunSQL(NEVER_CHANGED, DROP_NEVER_CHANGED),\n",
        "",
        f"{LIMITS}::test_changing_a_transfer",
        f"{LIMITS}::test_deleting_a_transfer",
    ),
    bug(
        "a destination of another company",
        GUARDS,
        "(destination_id, company_id, currency, destination_kind)\n"
        "  REFERENCES credit_account (id, company_id, currency, kind)",
        "(destination_id) REFERENCES credit_account (id)",
        f"{LIMITS}::test_a_transfer_between_two_companies",
    ),
    bug(
        "a source of another company",
        GUARDS,
        "(source_id, company_id, currency, source_kind)\n"
        "  REFERENCES credit_account (id, company_id, currency, kind)",
        "(source_id) REFERENCES credit_account (id)",
        f"{LIMITS}::test_a_transfer_from_another_companys_account",
    ),
    bug(
        "a purse of another company's member",
        GUARDS,
        "(member_id, company_id) REFERENCES members_member (id, company_id);\n"
        "ALTER TABLE credit_transfer\n  ADD CONSTRAINT transfer_source",
        "(member_id) REFERENCES members_member (id);\n"
        "ALTER TABLE credit_transfer\n  ADD CONSTRAINT transfer_source",
        f"{LIMITS}::test_a_purse_of_another_companys_member",
    ),
)

RECHARGE_BUGS = (
    Bug(
        "<= for < in what is due",
        (
            Change("credit/recharge_plan.py", "if balance >= threshold", "if balance > threshold"),
            Change(
                "credit/recharge_plan.py",
                "whole = (steps + (1 if rest else 0)) * amount",
                "whole = max(steps + (1 if rest else 0), Decimal(1)) * amount",
            ),
            Change(
                LEDGER, "self.balance >= self.recharge_below", "self.balance > self.recharge_below"
            ),
        ),
        (f"{RECHARGE}::test_below_the_level_recharges_and_equal_does_not",),
    ),
    bug(
        "a step too many",
        "credit/recharge_plan.py",
        "(steps + (1 if rest else 0))",
        "(steps + 1)",
        f"{EXACT}::test_the_steps_that_just_reach_the_level_are_enough",
    ),
    bug(
        "limit not counted",
        "credit/recharge.py",
        "left = rule.monthly_limit - self.recharged_in(account, day)",
        "left = rule.monthly_limit",
        f"{RECHARGE}::test_switching_off_and_on_never_refreshes_the_months_total",
    ),
    bug(
        "allocations count towards the limit",
        "credit/recharge.py",
        "AND kind = 'auto_recharge' AND day",
        "AND day",
        f"{RECHARGE}::test_an_allocation_by_hand_does_not_count_towards_the_limit",
    ),
    bug(
        "a rule at its limit is not suspended",
        "credit/recharge.py",
        "suspended = left - plan.paid <= 0",
        "suspended = left - plan.paid < 0",
        f"{RECHARGE}::test_limit_25_amount_10_gives_10_10_5_then_rests_until_the_first_in_the_companys_zone",
    ),
    bug(
        "waiting order newest first",
        "credit/recharge.py",
        "waiting.timestamp() if waiting else 0.0",
        "-waiting.timestamp() if waiting else 0.0",
        f"{KEYS}::test_who_waits_longest_is_served_first_when_not_all_can_be",
    ),
    bug(
        "a blocked rule holds up smaller ones",
        "credit/recharge.py",
        "                recharger.apply(account)\n        posting.write()",
        "                if recharger.apply(account).outcome == Outcome.COMPANY_CREDIT_TOO_LOW:\n"
        "                    break\n        posting.write()",
        f"{RECHARGE}::test_an_empty_company_recharges_nobody_and_everybody_once_credited_oldest_wait_first",
    ),
    Bug(
        "a suspended member's rule runs on",
        (
            Change("credit/recharge.py", "            member__status=Member.Status.ACTIVE,\n", ""),
            Change("credit/standing.py", "        then(actor, change.changed, now)\n", ""),
        ),
        ("tests/credit/test_standing.py::test_a_rule_does_nothing_while_its_member_is_suspended",),
    ),
    bug(
        "audit row missing",
        "credit/allocation.py",
        "    posting.write(decision, answer_statement(request_id, answer))\n",
        "    posting.write(answer_statement(request_id, answer))\n",
        f"{KEYS}::test_one_decision_is_one_audit_entry_with_counts",
    ),
)

CALL_BUGS = (
    bug(
        "batch unlike singles: rules evaluated at its end",
        "credit/call_batch.py",
        "            purse = posting.purses[accounts.members[call.member_id]]\n",
        "            if call is not calls[-1]:\n                continue\n"
        "            purse = posting.purses[accounts.members[call.member_id]]\n",
        f"{CALLS}::test_a_batch_gives_what_its_calls_one_by_one_give_with_rules_between",
    ),
    bug(
        "settle ignores hold",
        "credit/call_batch.py",
        "        if hold is not None:\n            self._end(posting, hold)\n",
        "",
        f"{HOLDS}::test_settling_charges_the_call_and_gives_the_rest_back",
    ),
    bug(
        "expired hold not given back",
        "credit/holds.py",
        "posting.hold(hold.account_id, -hold.amount)",
        "posting.hold(hold.account_id, 0 * hold.amount)",
        f"{HOLDS}::test_an_expired_hold_gives_all_back_and_the_call_is_charged_when_it_comes_late",
    ),
    bug(
        "a hold expires too early",
        "credit/holds.py",
        "timedelta(seconds=seconds) + GRACE",
        "timedelta(seconds=seconds)",
        f"{HOLDS}::test_an_expired_hold_gives_all_back_and_the_call_is_charged_when_it_comes_late",
    ),
    bug(
        "the same call with another duration is the same",
        "credit/call_batch.py",
        "if before == call:",
        "if True:",
        f"{CALLS}::test_the_same_id_with_another_duration_is_a_conflict",
    ),
    bug(
        "rounding half to even, not up",
        "credit/rating.py",
        "return Decimal(-(-int(sixtieths.scaleb(4)) // 60)).scaleb(-4)",
        'return (sixtieths / 60).quantize(Decimal("0.0001"))',
        f"{RATING}::test_the_price_is_the_exact_one_rounded_up_once",
    ),
    bug(
        "minimum applied after the increment",
        "credit/rating.py",
        "        seconds = max(duration_seconds, self.minimum_seconds)\n"
        "        return -(-seconds // self.increment_seconds) * self.increment_seconds",
        "        steps = -(-duration_seconds // self.increment_seconds)\n"
        "        seconds = steps * self.increment_seconds\n"
        "        return max(seconds, self.minimum_seconds)",
        f"{EXACT}::test_the_minimum_comes_before_the_increment",
    ),
    bug(
        "the installation's deck before the own",
        "credit/rating.py",
        "for deck in (self._own, self._common)",
        "for deck in (self._common, self._own)",
        f"{RATING}::test_the_longest_prefix_of_the_own_deck_wins_then_the_installations",
    ),
)

LEAVING_BUGS = (
    bug(
        "leaving: an allocation does not wait for a removal",
        "credit/allocation.py",
        "id = ANY(%(members)s::bigint[])\n ORDER BY id\n   FOR SHARE\n",
        "id = ANY(%(members)s::bigint[])\n ORDER BY id\n",
        f"{GOING}::test_an_allocation_that_waits_for_a_removal_adds_nothing",
    ),
    bug(
        "leaving: closing does not wait for a call being authorised",
        "credit/standing.py",
        '    list(purses.select_for_update(no_key=True).values_list("pk", flat=True))\n',
        "",
        f"{GOING}::test_the_closing_waits_for_a_call_that_is_being_authorised",
    ),
    bug(
        "leaving: a purchase does not hold the company",
        "billing/purchases.py",
        "            hold_active_company(actor.company.pk)\n",
        "",
        f"{GOING}::test_the_closing_waits_for_what_came_first",
        f"{GOING}::test_whatever_waits_for_the_closing_is_refused",
    ),
    bug(
        "leaving: the rule of whoever is removed stays on",
        "billing/leaving.py",
        ", switch_off=True)",
        ")",
        "tests/billing/test_leaving.py::"
        "test_whoever_is_removed_keeps_the_credit_and_loses_rule_requests_and_tokens",
    ),
    bug(
        "leaving: anybody's former place is shown",
        "members/access.py",
        "places_of(user).filter(pk=int(pk))",
        "Member.objects.filter(pk=int(pk))",
        "tests/portal/test_me_places.py::test_another_persons_place_is_not_found",
    ),
)

ALERT_BUGS = (
    bug(
        "alert: a fall is told again at each movement",
        "credit/low_balance.py",
        "WHERE balance < %(level)s AND NOT was_below",
        "WHERE balance < %(level)s",
        "tests/credit/test_low_balance.py::test_a_crossing_is_told_once_to_the_recipients_alone",
    ),
    bug(
        "alert: what was so at the last look is forgotten",
        "credit/low_balance.py",
        '"was_below": alert.is_below,',
        '"was_below": False,',
        "tests/credit/test_low_balance.py::test_a_credit_that_stays_below_is_no_return",
    ),
)

BUGS = (
    *LEDGER_BUGS,
    *DATABASE_BUGS,
    *RECHARGE_BUGS,
    *CALL_BUGS,
    *LEAVING_BUGS,
    *ALERT_BUGS,
    *PURCHASE_LIMIT_BUGS,
    *STRIPE_BUGS,
    *RENEWAL_BUGS,
    *MINUTES_BUGS,
)
