"""The planted bugs about buying: limits, switches, VAT, and the gateways."""

from tests.mutants.planting import bug

PURCHASE_LIMIT_BUGS = (
    bug(
        "limit: checked without the lock",
        "billing/profile.py",
        "BillingProfile.objects.select_for_update(no_key=True).get(",
        "BillingProfile.objects.get(",
        "tests/billing/test_limit_races.py",
    ),
    bug(
        "limit: what is being paid does not count",
        "billing/limits.py",
        "booked | Q(status__in=Purchase.OPEN)",
        "booked",
        "tests/billing/test_limits.py::test_what_is_paid_and_what_is_being_paid_count",
    ),
    bug(
        "switch: what was wished before the stop is sent",
        "billing/purchases.py",
        "if is_too_late or is_stopped or",
        "if is_too_late or",
        "tests/billing/test_switches.py::test_what_was_wished_but_not_sent_is_not_charged_after_the_stop",
    ),
    bug(
        "VAT: an answer is kept for another number",
        "billing/vat.py",
        "filter(company=company.pk, vat_number_checked=number)",
        "filter(company=company.pk)",
        "tests/billing/test_vat.py::test_another_number_is_unchecked_again",
    ),
    bug(
        "VAT: an old answer counts for ever",
        "billing/vat.py",
        "return on <= (profile.vat_valid_at + ANSWER_COUNTS_FOR).date()",
        "return True",
        "tests/billing/test_vat.py::test_a_services_answer_counts_for_sixty_days_and_no_longer",
    ),
    bug(
        "facts: a paid purchase can be edited",
        "billing/migrations/0009_frozen_facts.py",
        "OLD.invoice_facts IS NOT NULL AND",
        "FALSE AND",
        "tests/billing/test_invoice_facts.py::test_the_database_keeps_what_a_paid_purchase_cost",
    ),
)

STRIPE = "billing/gateways/stripe.py"
OUTAGES = "tests/billing/test_stripe_outages.py"
STRIPE_BUGS = (
    bug(
        "stripe: no idempotency key",
        STRIPE,
        'return {"idempotency_key": request.idempotency_key}',
        "return {}",
        f"{OUTAGES}::test_sent_again_after_a_lost_answer_it_is_the_same_charge",
    ),
    bug(
        "stripe: only search is asked what was made",
        "billing/gateways/stripe_lookup.py",
        "intents = [*_search(key)] or [*_list_intents(key)]",
        "intents = [*_search(key)]",
        f"{OUTAGES}::test_it_is_found_before_the_search_knows_it",
    ),
    bug(
        "stripe: an outage is a decline",
        "billing/gateways/stripe_client.py",
        "        raise GatewayUnavailable from error",
        "        raise stripe.InvalidRequestError(str(error), None) from error",
        f"{OUTAGES}::test_an_outage_is_not_a_decline",
    ),
    bug(
        "stripe: a key is not used up when called off",
        STRIPE,
        "is_certain = lookup.use_up(idempotency_key)",
        "is_certain = True",
        f"{OUTAGES}::test_what_was_called_off_before_it_arrived_can_never_be_made",
    ),
    bug(
        "stripe: a repeated answer is taken for the present one",
        "billing/gateways/stripe_client.py",
        'return found.get("idempotent-replayed") == "true"',
        "return False",
        f"{OUTAGES}::test_an_answer_that_is_only_repeated_is_brought_up_to_date",
    ),
    bug(
        "stripe: a page completed unpaid is paid",
        "billing/gateways/stripe_words.py",
        'about.get("payment_status") == "paid" if is_session',
        'about.get("status") == "complete" if is_session',
        "tests/billing/test_stripe_events.py::test_a_debit_completed_unpaid_proves_nothing",
    ),
    bug(
        "stripe: signatures never grow old",
        STRIPE,
        "SIGNED_WITHIN_SECONDS = 300",
        "SIGNED_WITHIN_SECONDS = 0",
        "tests/billing/test_stripe_events.py::test_a_signature_older_than_five_minutes_is_refused",
    ),
    bug(
        "stripe: a saved method is charged for the company's first customer",
        "billing/purchases.py",
        '(method.customer_reference if method else "")\n        or customer_of',
        "customer_of",
        "tests/billing/test_stripe_story.py"
        "::test_two_first_payments_at_once_keep_both_methods_chargeable",
    ),
)
