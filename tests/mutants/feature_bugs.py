"""The planted bugs about features: renewals, and included minutes."""

from tests.mutants.planting import bug

PAYING, PERIODS = "billing/features/paying.py", "billing/features/periods.py"
RENEWALS, CHANGING = "billing/renewals.py", "billing/features/changing.py"
TERMS, AHEAD = "billing/features/terms.py", "billing/features/upcoming.py"
MINUTES, BATCH = "credit/allowances.py", "credit/call_batch.py"
RENEWING = "tests/billing/features/test_renewals.py"
CARE = "tests/billing/features/test_renewal_care.py"
PAGE = "tests/billing/features/test_renewals_page.py"
GIVING = "tests/billing/features/test_giving.py"
INCLUDED = "tests/credit/test_allowances.py"

RENEWAL_BUGS = (
    bug(
        "renewal: its key does not name the period",
        PAYING,
        'f"feature:{self.subscription.pk}:{self.starts_on}"',
        'f"feature:{self.subscription.pk}"',
        f"{RENEWING}::test_it_is_charged_three_days_before_the_end_and_not_an_hour_sooner",
    ),
    bug(
        "renewal: the anchor day is forgotten",
        PAYING,
        "anchor = self.subscription.anchor_day\n",
        "anchor = self.starts_on.day\n",
        f"{RENEWING}::test_a_month_from_the_31st_goes_round_the_year_on_its_anchor",
    ),
    bug(
        "renewal: the day of charge is not moved",
        RENEWALS,
        "       charge_on = new.charge_on, next_plan_id",
        "       next_plan_id",
        f"{RENEWING}::test_three_runs_charge_once",
    ),
    bug(
        "renewal: the price of the old plan",
        TERMS,
        "if feature.next_plan_id is not None:",
        "if False:",
        f"{RENEWING}::test_a_change_takes_effect_at_the_renewal",
    ),
    bug(
        "renewal: a change that is withdrawn ends the feature",
        TERMS,
        "            if changed is not None:\n                return changed\n",
        "            return changed\n",
        f"{CARE}::test_a_change_to_a_plan_that_is_withdrawn_leaves_the_feature_as_it_is",
    ),
    bug(
        "renewal: a plan is renewed after its last day",
        TERMS,
        "if price is None or not plan.is_offered_on(on):",
        "if price is None:",
        f"{RENEWING}::test_a_discontinued_plan_runs_out_and_says_when",
    ),
    bug(
        "renewal: a cancelled feature is charged",
        CHANGING,
        "        subscription.renews = False\n        subscription.charge_on = None\n",
        "",
        f"{RENEWING}::test_a_cancelled_feature_runs_to_its_day_and_costs_nothing_more",
    ),
    bug(
        "renewal: the day is that of UTC",
        RENEWALS,
        "found = _lock(company, company.day_at(at), after)",
        "found = _lock(company, at.date(), after)",
        f"{RENEWING}::test_it_is_charged_three_days_before_the_end_and_not_an_hour_sooner",
    ),
    bug(
        "renewal: paid in grace, the period begins with the payment",
        RENEWALS,
        "terms.price, each.paid_until))",
        "terms.price, max(each.paid_until, company.day_at(at))))",
        f"{RENEWING}::test_paid_in_grace_the_new_period_starts_at_the_old_end",
    ),
    bug(
        "renewal: one too dear keeps others waiting",
        RENEWALS,
        "if is_active and each.price <= left:",
        "if is_active and not unpaid and each.price <= left:",
        f"{RENEWING}::test_one_too_dear_keeps_no_cheaper_one_waiting",
    ),
    bug(
        "renewal: one run pays one period of each",
        RENEWALS,
        "            place = batch.place if place else None\n",
        "            break\n",
        f"{CARE}::test_one_run_makes_up_for_all_periods_though_their_ends_are_mixed",
    ),
    bug(
        "renewal: a lost message waits for the next day",
        RENEWALS,
        "    _each_company(failed, lambda pk: renewed.add(retry_company(pk, now=at)))\n",
        "",
        f"{CARE}::test_a_credited_company_is_tried_again_the_same_day_though_the_message_was_lost",
    ),
    bug(
        "renewal: waiting members are served before renewals",
        "skypemgr/celery.py",
        '("billing.retry_renewals", "credit.serve_waiting_rules")',
        '("credit.serve_waiting_rules", "billing.retry_renewals")',
        f"{RENEWING}::test_a_credited_company_pays_renewals_before_members_recharges",
    ),
    bug(
        "grace: counted from the charge that failed",
        PERIODS,
        "return paid_until + (GRACE_OF_NUMBERS",
        "return paid_until - CHARGED_BEFORE_END + (GRACE_OF_NUMBERS",
        f"{RENEWING}::test_what_cannot_be_paid_is_tried_daily_goes_into_grace_and_ends",
    ),
    bug(
        "grace: a number has that of all others",
        PERIODS,
        "GRACE_OF_NUMBERS if kind == FeatureKind.NUMBER else GRACE",
        "GRACE",
        f"{RENEWING}::test_a_number_has_thirty_days_and_then_rests_for_ninety",
    ),
    bug(
        "grace: what no job could try is lost",
        RENEWALS,
        "today < end or tried_on is None or tried_on < end",
        "today < end",
        f"{RENEWING}::test_nothing_ends_that_no_job_has_tried_to_pay",
        f"{CARE}::test_nothing_is_lost_in_a_company_that_could_not_be_looked_at_on_the_last_day",
    ),
    bug(
        "features: a cancel is taken back for whom is gone",
        CHANGING,
        "        _require_present(subscription.member)\n        price_for(\n",
        "        price_for(\n",
        f"{RENEWING}::test_what_a_removed_member_has_runs_out",
    ),
    bug(
        "features: locked with what is joined to them",
        CHANGING,
        "    rows = Subscription.objects.filter(company=actor.company, pk=pk)\n"
        '    list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))\n'
        "    return find_feature(actor, pk)\n",
        "    rows = Subscription.objects.filter(company=actor.company, pk=pk)\n"
        '    rows = rows.select_related("company", "member", "plan")\n'
        '    found = rows.select_for_update(no_key=True, of=("self",)).first()\n'
        "    if found is None:\n"
        '        raise NotFound(_("There is no such feature in your company."))\n'
        "    return found\n",
        f"{CARE}::test_a_cancel_that_waits_for_a_renewal_to_another_plan_cancels_it",
    ),
    bug(
        "ahead: a month's charge stands in every month",
        AHEAD,
        "elif terms is not None and distance % terms.months == 0:",
        "elif terms is not None:",
        f"{PAGE}::test_what_is_foretold_is_what_is_charged",
    ),
)

MINUTES_BUGS = (
    bug(
        "minutes: all of a longer period at once",
        PAYING,
        "        for starts_on, ends_on in split_months(\n"
        "            each.starts_on, each.months, anchor_day=each.subscription.anchor_day\n"
        "        )\n",
        "        for starts_on, ends_on in [(each.starts_on, each.ends_on)]\n",
        f"{GIVING}::test_each_month_has_its_minutes_in_the_companys_days",
    ),
    bug(
        "minutes: the oldest allowance goes first",
        MINUTES,
        "key=lambda each: (each.ends_at, each.pk)",
        "key=lambda each: each.pk",
        f"{INCLUDED}::test_the_allowance_that_ends_soonest_goes_first_and_a_call_may_use_several",
    ),
    bug(
        "minutes: an allowance covers every destination",
        MINUTES,
        "each.starts_at <= at < each.ends_at and digits.startswith(tuple(each.prefixes))",
        "each.starts_at <= at < each.ends_at",
        f"{INCLUDED}::test_an_allowance_for_something_else_is_left_alone",
    ),
    bug(
        "minutes: what a call set aside another takes",
        "credit/models/allowances.py",
        "return self.seconds_left - self.seconds_held",
        "return self.seconds_left",
        f"{INCLUDED}::test_two_calls_in_progress_never_share_a_second",
    ),
    bug(
        "minutes: a settled call keeps what it set aside",
        BATCH,
        "            self.minutes.give_back(hold.pk)\n",
        "",
        f"{INCLUDED}::test_a_settled_call_uses_what_it_set_aside_and_gives_the_rest_back",
    ),
    bug(
        "minutes: a released call keeps what it set aside",
        "credit/holds.py",
        "        minutes.give_back(hold.pk)\n",
        "",
        f"{INCLUDED}::test_a_call_that_ends_otherwise_gives_its_minutes_back",
    ),
    bug(
        "minutes: the rest is raised to the minimum again",
        BATCH,
        "price = tariff.price(billed - sum(share.seconds for share in shares))",
        "rest = billed - sum(share.seconds for share in shares)\n"
        "            price = tariff.price(tariff.billed_seconds(rest))",
        f"{INCLUDED}::test_only_the_rest_is_priced_with_its_fee_but_not_raised_to_the_minimum",
    ),
)
