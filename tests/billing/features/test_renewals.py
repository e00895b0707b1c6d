"""Renewing: once a period, in time, in grace, and never lost without a word."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from billing.closing import close_company
from billing.errors import FeatureRefused, PlanNotOffered
from billing.features.changing import cancel_feature, change_feature, undo_cancel
from billing.features.numbers import reallocate_number, return_numbers
from billing.features.upcoming import total_upcoming
from billing.leaving import preview_removal, remove_members
from billing.models import NumberArea, PhoneNumber, Plan, Subscription, SubscriptionPeriod
from billing.renewal_news import announce_renewals
from billing.renewals import end_overdue, renew_company, renew_due, retry_company
from credit.accounts import company_balance
from credit.allocation import Recipients
from credit.errors import CompanyNotActive
from credit.models import Transfer
from credit.rules import RuleTerms, save_rules
from credit.verification import verify_ledger
from members.actors import Actor
from members.models import AuditEntry, Company, Member, Notice
from skypemgr.celery import ANSWERS
from skypemgr.lib.errors import NotAllowed, NotFound
from tests.billing.features.conftest import NOON, at, give_number, give_plan, make_plan, only
from tests.conftest import credit_company, give, make_member
from tests.credit.test_races import at_once

pytestmark = pytest.mark.django_db


def days(feature: Subscription) -> list[tuple[date, date]]:
    """The paid periods of a feature."""
    return list(feature.periods.order_by("starts_on").values_list("starts_on", "ends_on"))


def empty(member: Member) -> None:
    """The company's balance is all given away."""
    left = company_balance(member.company)
    if left:
        give(member, member, str(left), now=NOON)


def test_a_month_from_the_31st_goes_round_the_year_on_its_anchor(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    now = NOON
    while now < at("2027-02-02"):
        renew_due(now=now)
        end_overdue(now=now)
        now += timedelta(hours=7)
    feature = only()
    firsts = [starts for starts, _ends in days(feature)]
    assert [f"{day:%m-%d}" for day in firsts[:5]] == ["01-31", "02-28", "03-31", "04-30", "05-31"]
    assert all(before[1] == after[0] for before, after in pairwise(days(feature)))
    assert len(firsts) == 13
    assert company_balance(rich.company) == 100 - 13 * 2
    assert verify_ledger() == []


def test_it_is_charged_three_days_before_the_end_and_not_an_hour_sooner(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    # The 25th begins in Paris at 23:00 in UTC.
    renew_due(now=at("2026-02-24", 22))
    assert SubscriptionPeriod.objects.count() == 1
    renewed = renew_due(now=at("2026-02-24", 23))
    assert (renewed.paid_count, renewed.total) == (1, 2)
    assert Transfer.objects.filter(kind="feature").latest("pk").booked_on == date(2026, 2, 25)


def test_three_runs_charge_once(rich: Member, bob: Member, minutes: Plan) -> None:
    give_plan(rich, minutes, bob)
    for _run in range(3):
        renew_due(now=at("2026-02-26"))
    assert company_balance(rich.company) == 90
    assert days(only()) == [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2026, 2, 28), date(2026, 3, 31)),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_debit_and_extension_leaves_neither(
    rich: Member, bob: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob)
    table = "ALTER TABLE billing_subscription"
    with connection.cursor() as cursor:
        cursor.execute(f"{table} ADD CONSTRAINT no_extension CHECK (months < 1) NOT VALID")
        try:
            with pytest.raises(IntegrityError, match="no_extension"):
                renew_company(rich.company_id, now=at("2026-02-26"))
        finally:
            cursor.execute(f"{table} DROP CONSTRAINT no_extension")
    assert company_balance(rich.company) == 95
    assert len(days(only())) == 1
    renew_due(now=at("2026-02-26"))
    assert company_balance(rich.company) == 90
    assert verify_ledger() == []


@pytest.mark.parametrize(
    ("start", "first"),
    [("2026-02-28", "2026-03-28"), ("2026-09-25", "2026-10-25"), ("2028-01-29", "2028-02-29")],
    ids=["into the short night", "into the long night", "onto a leap day"],
)
def test_one_charge_each_across_odd_days(
    rich: Member, bob: Member, minutes: Plan, start: str, first: str
) -> None:
    give_plan(rich, minutes, bob, now=at(start))
    end = date.fromisoformat(first)
    assert only().paid_until == end
    now = datetime(end.year, end.month, end.day, tzinfo=UTC) - timedelta(days=4)
    for _hour in range(5 * 24):
        renew_due(now=now)
        end_overdue(now=now)
        now += timedelta(hours=1)
    assert len(days(only())) == 2
    assert only().status == "active"
    assert company_balance(rich.company) == 90


def test_a_late_worker_makes_up_for_every_period(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    renewed = renew_due(now=at("2026-05-15"))
    assert renewed.paid_count == 3
    assert only().paid_until == date(2026, 5, 31)
    end_overdue(now=at("2026-05-15"))
    assert only().status == "active"


def test_what_cannot_be_paid_is_tried_daily_goes_into_grace_and_ends(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    empty(rich)
    statuses = []
    for day in range(25, 25 + 16):
        now = at("2026-02-01") + timedelta(days=day - 1)
        renew_due(now=now)
        end_overdue(now=now)
        statuses.append((f"{now:%m-%d}", only().status))
    assert dict(statuses)["02-27"] == "active"
    assert dict(statuses)["02-28"] == "grace"
    assert dict(statuses)["03-06"] == "grace"
    assert dict(statuses)["03-07"] == "ended"
    digests = Notice.objects.filter(member=rich, kind="renewals_unpaid")
    assert digests.count() == 11
    assert Notice.objects.filter(member=rich, kind="features_ended").count() == 1
    assert verify_ledger() == []


def test_a_number_has_thirty_days_and_then_rests_for_ninety(
    rich: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    give_number(rich, french_number, paris, bob)
    empty(rich)
    for now in (at("2026-02-25"), at("2026-02-28"), at("2026-03-29")):
        renew_due(now=now)
        end_overdue(now=now)
        assert only().status in ("active", "grace")
    renew_due(now=at("2026-03-30"))
    end_overdue(now=at("2026-03-30"))
    assert only().status == "ended"
    number = PhoneNumber.objects.get(e164="+33180000000")
    assert (number.state, number.resting_until) == ("resting", date(2026, 6, 28))
    assert return_numbers(now=at("2026-06-27")) == 0
    assert return_numbers(now=at("2026-06-28")) == 1


def test_paid_in_grace_the_new_period_starts_at_the_old_end(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    empty(rich)
    for now in (at("2026-02-25"), at("2026-03-03")):
        renew_due(now=now)
        end_overdue(now=now)
    assert only().status == "grace"
    credit_company(rich.company, "10", now=at("2026-03-03"))
    assert retry_company(rich.company_id, now=at("2026-03-03")).paid_count == 1
    feature = only()
    assert (feature.status, feature.grace_until, feature.paid_until) == (
        "active",
        None,
        date(2026, 3, 31),
    )
    assert days(feature)[1] == (date(2026, 2, 28), date(2026, 3, 31))


def test_a_credited_company_pays_renewals_before_members_recharges(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    assert ANSWERS["company.credited"].index("billing.retry_renewals") < ANSWERS[
        "company.credited"
    ].index("credit.serve_waiting_rules")


def test_nothing_ends_that_no_job_has_tried_to_pay(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    empty(rich)
    end_overdue(now=at("2026-06-01"))
    assert only().status == "grace"
    renew_due(now=at("2026-06-01"))
    end_overdue(now=at("2026-06-01"))
    assert only().status == "ended"


def test_one_too_dear_keeps_no_cheaper_one_waiting(
    rich: Member, bob: Member, minutes: Plan, voicemail: Plan
) -> None:
    give_plan(rich, minutes, bob)
    give_plan(rich, voicemail, bob)
    empty(rich)
    credit_company(rich.company, "3", now=NOON)
    renewed = renew_due(now=at("2026-02-25"))
    assert (renewed.paid_count, renewed.unpaid_count) == (1, 1)
    assert company_balance(rich.company) == 1


def test_a_cancelled_feature_runs_to_its_day_and_costs_nothing_more(
    rich: Member, bob: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob)
    for _twice in range(2):
        cancel_feature(actor=Actor.of_member(rich), subscription_id=only().pk, now=NOON)
    renew_due(now=at("2026-02-27"))
    end_overdue(now=at("2026-02-27", 20))
    assert only().status == "active"
    end_overdue(now=at("2026-02-27", 23))
    assert only().status == "ended"
    assert company_balance(rich.company) == 95
    assert AuditEntry.objects.filter(verb="cancel_feature").count() == 1


def test_a_cancel_can_be_taken_back_until_the_end(rich: Member, bob: Member, minutes: Plan) -> None:
    give_plan(rich, minutes, bob)
    actor = Actor.of_member(rich)
    cancel_feature(actor=actor, subscription_id=only().pk, now=NOON)
    undo_cancel(actor=actor, subscription_id=only().pk, now=at("2026-02-26"))
    assert only().charge_on == date(2026, 2, 25)
    renew_due(now=at("2026-02-26"))
    assert len(days(only())) == 2
    cancel_feature(actor=actor, subscription_id=only().pk, now=at("2026-02-26"))
    end_overdue(now=at("2026-04-01"))
    with pytest.raises(FeatureRefused) as refusal:
        undo_cancel(actor=actor, subscription_id=only().pk, now=at("2026-04-01"))
    assert refusal.value.code == "feature_ended"


def test_a_change_takes_effect_at_the_renewal(rich: Member, bob: Member, minutes: Plan) -> None:
    give_plan(rich, minutes, bob)
    larger = make_plan(
        "europe", "subscription", {3: "30"}, prefixes=["33", "34"], included_seconds=60_000
    )
    actor = Actor.of_member(rich)
    change_feature(actor=actor, subscription_id=only().pk, plan=larger, months=3, now=NOON)
    assert (only().plan, only().months) == (minutes, 1)
    renew_due(now=at("2026-02-25"))
    feature = only()
    assert (feature.plan, feature.months, feature.paid_until, feature.next_plan) == (
        larger,
        3,
        date(2026, 5, 31),
        None,
    )
    assert company_balance(rich.company) == 65


@pytest.mark.parametrize(
    ("kind", "fields", "months", "code"),
    [
        ("voicemail", {}, 1, "other_kind"),
        ("subscription", {"prefixes": ["44"], "included_seconds": 60}, 2, "invalid_period"),
        ("subscription", {"prefixes": ["44"], "included_seconds": 60}, 3, "no_price_in_currency"),
    ],
)
def test_a_change_that_could_not_be_renewed_is_refused(
    rich: Member,
    bob: Member,
    minutes: Plan,
    kind: str,
    fields: dict[str, Any],
    months: int,
    code: str,
) -> None:
    give_plan(rich, minutes, bob)
    other = make_plan("other", kind, {1: "1"}, **fields)
    with pytest.raises((FeatureRefused, PlanNotOffered)) as refusal:
        change_feature(
            actor=Actor.of_member(rich),
            subscription_id=only().pk,
            plan=other,
            months=months,
            now=NOON,
        )
    assert refusal.value.code == code
    assert only().next_plan is None


def test_a_discontinued_plan_runs_out_and_says_when(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    Plan.objects.update(valid_until=date(2026, 2, 28))
    renewed = renew_due(now=at("2026-02-25"))
    assert (renewed.paid_count, renewed.discontinued_count) == (0, 1)
    notice = Notice.objects.get(member=rich, kind="plan_discontinued")
    assert notice.data["ends_on"] == "2026-02-28"
    end_overdue(now=at("2026-02-28"))
    assert only().status == "ended"
    assert company_balance(rich.company) == 98


def test_a_number_is_handed_on_with_what_is_paid(
    rich: Member, bob: Member, fiona: Member, french_number: Plan, paris: NumberArea
) -> None:
    feature = give_number(rich, french_number, paris, bob)
    balance = company_balance(rich.company)
    reallocate = partial(reallocate_number, actor=Actor.of_member(rich), subscription_id=feature.pk)
    assert reallocate(member_id=fiona.pk).member == fiona
    assert company_balance(rich.company) == balance
    with pytest.raises(NotFound):
        reallocate(member_id=make_member(make_company_of_charlie(), "eve").pk)


def make_company_of_charlie() -> Company:
    """Another company."""
    return Company.objects.create(
        name="Other", country="FR", currency="EUR", time_zone="Europe/Paris", language="fr"
    )


@pytest.mark.parametrize("who", ["bob", "fiona", "charlie"])
def test_nobody_else_touches_a_feature(
    request: pytest.FixtureRequest, rich: Member, bob: Member, minutes: Plan, who: str
) -> None:
    give_plan(rich, minutes, bob)
    actor = Actor.of_member(request.getfixturevalue(who))
    feature = only()
    for verb in (
        partial(cancel_feature, actor=actor, subscription_id=feature.pk),
        partial(undo_cancel, actor=actor, subscription_id=feature.pk),
        partial(change_feature, actor=actor, subscription_id=feature.pk, plan=minutes, months=1),
        partial(reallocate_number, actor=actor, subscription_id=feature.pk, member_id=rich.pk),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            verb()
    after = only()
    assert (after.renews, after.next_plan, after.member) == (True, None, bob)


def test_what_a_removed_member_has_runs_out(rich: Member, bob: Member, minutes: Plan) -> None:
    give_plan(rich, minutes, bob)
    assert preview_removal(Actor.of_member(rich), [bob.pk]).features_count == 1
    removed = remove_members(actor=Actor.of_member(rich), member_ids=[bob.pk], now=NOON)
    assert removed.features_count == 1
    renew_due(now=at("2026-02-26"))
    assert (only().status, only().renews) == ("active", False)
    assert company_balance(rich.company) == 95
    with pytest.raises(FeatureRefused):
        undo_cancel(actor=Actor.of_member(rich), subscription_id=only().pk, now=NOON)


def test_nothing_renews_in_a_closed_company(rich: Member, bob: Member, minutes: Plan) -> None:
    give_plan(rich, minutes, bob)
    empty(rich)
    close_company(actor=Actor.of_member(rich), now=NOON)
    assert only().renews is False
    renew_due(now=at("2026-02-26"))
    assert only().status == "active"


def test_a_frozen_company_pays_nothing_and_loses_nothing(
    rich: Member, bob: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob)
    Company.objects.filter(pk=rich.company_id).update(state="frozen")
    renew_due(now=at("2026-03-20"))
    end_overdue(now=at("2026-03-20"))
    assert only().status == "grace"
    rich.company.refresh_from_db()
    with pytest.raises(CompanyNotActive):
        undo_cancel(actor=Actor.of_member(rich), subscription_id=only().pk)
    Company.objects.filter(pk=rich.company_id).update(state="active")
    renew_due(now=at("2026-03-20"))
    assert only().status == "active"


def test_one_digest_a_week_and_one_a_day_before(
    rich: Member, bob: Member, fiona: Member, voicemail: Plan, minutes: Plan
) -> None:
    give_plan(rich, voicemail, bob, fiona)
    give_plan(rich, minutes, bob)
    for day in range(10, 27):
        for hour in (8, 20):
            announce_renewals(now=at(f"2026-02-{day}", hour))
    told = Notice.objects.filter(member=rich, kind="renewals_soon").order_by("pk")
    assert [notice.key for notice in told] == [
        "renewals_soon:2026-02-25:7",
        "renewals_soon:2026-02-25:1",
    ]
    data = told[0].data
    assert (data["count"], Decimal(data["total"]), data["is_short"]) == (3, 9, False)


def test_the_total_of_a_month_warns_when_the_balance_lacks(
    rich: Member, bob: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob)
    empty(rich)
    total = total_upcoming(rich.company, until=date(2026, 2, 28))
    assert (total.count, total.total, total.missing) == (1, 5, 5)


def test_the_command_books_at_its_instant(
    rich: Member, bob: Member, minutes: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    give_plan(rich, minutes, bob)
    call_command("renew", "--at", "2026-02-26T12:00:00Z")
    assert capsys.readouterr().out.startswith("1 renewed, 0 not paid, 0 discontinued, 0 ended")


@pytest.mark.django_db(transaction=True)
def test_workers_share_renewals_and_charge_each_once(
    rich: Member, bob: Member, fiona: Member, voicemail: Plan
) -> None:
    for member in (rich, bob, fiona):
        give_plan(rich, voicemail, member)
    save_rules(
        actor=Actor.of_member(rich),
        recipients=Recipients(member_ids=(bob.pk,)),
        terms=RuleTerms(Decimal(1), Decimal(1), Decimal(5)),
        now=NOON,
    )
    outcomes = at_once([partial(renew_due, now=at("2026-02-26")) for _worker in range(6)])
    assert not [each for each in outcomes if isinstance(each, Exception)]
    renew_due(now=at("2026-02-26"))
    assert Transfer.objects.filter(kind="feature").count() == 6
    assert SubscriptionPeriod.objects.count() == 6
    assert verify_ledger() == []


def test_renewing_many_takes_as_many_statements_as_renewing_two(
    rich: Member, voicemail: Plan, django_assert_max_num_queries: Any
) -> None:
    people = [make_member(rich.company, f"person{number}") for number in range(12)]
    give_plan(rich, voicemail, *people[:2])
    with django_assert_max_num_queries(60) as few:
        renew_due(now=at("2026-02-26"))
    give_plan(rich, voicemail, *people[2:], now=at("2026-02-26"))
    with django_assert_max_num_queries(len(few)):
        renew_due(now=at("2026-03-24"))
