"""Renewals that come late, are cut off, or meet a change on their way."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import renewals
from billing.errors import FeatureRefused
from billing.features.changing import cancel_feature, change_feature
from billing.features.numbers import reallocate_number
from billing.leaving import remove_members
from billing.models import NumberArea, Plan, Subscription
from billing.renewal_news import announce_renewals
from billing.renewals import end_overdue, renew_company, renew_due
from credit.accounts import company_balance
from credit.verification import verify_ledger
from members.models import AuditEntry, Member, Notice
from tests.billing.features.conftest import NOON, at, give_number, give_plan, make_plan, only
from tests.billing.test_leaving_races import of, one_in_the_others_way
from tests.conftest import credit_company, give, make_member

pytestmark = pytest.mark.django_db


def empty(member: Member) -> None:
    """The company's balance is all given away."""
    give(member, member, str(company_balance(member.company)), now=NOON)


def change(rich: Member, plan: Plan, months: int = 1) -> None:
    change_feature(actor=of(rich), subscription_id=only().pk, plan=plan, months=months, now=NOON)


def test_one_run_makes_up_for_all_periods_though_their_ends_are_mixed(
    rich: Member, bob: Member, voicemail: Plan, minutes: Plan
) -> None:
    monthly = give_plan(rich, voicemail, bob).subscription_ids[0]
    give_plan(rich, minutes, bob, months=3)
    renew_due(now=at("2026-05-20"))
    end_overdue(now=at("2026-05-20"))
    feature = Subscription.objects.get(pk=monthly)
    assert (feature.paid_until, feature.status) == (date(2026, 5, 31), "active")


def test_a_change_to_a_plan_that_is_withdrawn_leaves_the_feature_as_it_is(
    rich: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    give_number(rich, french_number, paris, bob)
    other = make_plan("number-fr-2", "number", {12: "30"}, country="FR")
    change(rich, other, months=12)
    Plan.objects.filter(pk=other.pk).update(valid_until=date(2026, 2, 28))
    assert renew_due(now=at("2026-02-25")).paid_count == 1
    feature = only()
    assert (feature.plan, feature.months, feature.next_plan) == (french_number, 1, None)
    assert company_balance(rich.company) == 92
    notice = Notice.objects.get(member=rich, kind="plan_discontinued")
    assert notice.data["is_change"] is True


def test_a_feature_whose_plan_is_withdrawn_is_kept_by_a_change_before_its_end(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    Plan.objects.filter(pk=voicemail.pk).update(valid_until=date(2026, 2, 28))
    renew_due(now=at("2026-02-25"))
    assert only().renews is False
    other = make_plan("voicemail-2", "voicemail", {1: "3"})
    change_feature(
        actor=of(rich), subscription_id=only().pk, plan=other, months=1, now=at("2026-02-27")
    )
    renew_due(now=at("2026-02-27"))
    end_overdue(now=at("2026-02-28"))
    feature = only()
    assert (feature.plan, feature.status, feature.paid_until) == (
        other,
        "active",
        date(2026, 3, 31),
    )


def test_what_somebody_gone_has_is_not_kept_by_a_change(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    remove_members(actor=of(rich), member_ids=[bob.pk], now=NOON)
    with pytest.raises(FeatureRefused) as refusal:
        change(rich, make_plan("voicemail-2", "voicemail", {1: "3"}))
    assert refusal.value.code == "member_gone"
    assert only().renews is False


def test_the_digest_counts_all_that_could_not_be_paid_and_comes_once(
    rich: Member, bob: Member, fiona: Member, voicemail: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_plan(rich, voicemail, rich, bob, fiona)
    empty(rich)
    monkeypatch.setattr(renewals, "AT_ONCE", 1)
    for _run in range(2):
        renew_due(now=at("2026-02-25"))
        announce_renewals(now=at("2026-02-25"))
    notice = Notice.objects.get(member=rich, kind="renewals_unpaid")
    assert (notice.data["count"], notice.data["total"]) == (3, "6.0000")


def test_a_digest_lost_by_a_crash_is_made_up_for_the_same_day(
    rich: Member, bob: Member, voicemail: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_plan(rich, voicemail, bob)
    empty(rich)
    with monkeypatch.context() as cut:
        cut.delattr(renewals, "tell_unpaid")
        renew_due(now=at("2026-02-25"))
    assert not Notice.objects.filter(kind="renewals_unpaid").exists()
    announce_renewals(now=at("2026-02-25", 13))
    assert Notice.objects.filter(kind="renewals_unpaid").count() == 1


def test_many_features_of_a_withdrawn_plan_are_one_digest(
    rich: Member, bob: Member, fiona: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, rich, bob, fiona)
    Plan.objects.update(valid_until=date(2026, 2, 28))
    renew_due(now=at("2026-02-25"))
    assert Notice.objects.get(member=rich, kind="plan_discontinued").data["count"] == 3


def test_a_credited_company_is_tried_again_the_same_day_though_the_message_was_lost(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    empty(rich)
    renew_due(now=at("2026-02-25"))
    assert renew_due(now=at("2026-02-25", 13)).unpaid_count == 0
    credit_company(rich.company, "10", now=at("2026-02-25", 14))
    assert renew_due(now=at("2026-02-25", 14)).paid_count == 1


def test_nothing_is_lost_in_a_company_that_could_not_be_looked_at_on_the_last_day(
    rich: Member, bob: Member, french_number: Plan, paris: NumberArea
) -> None:
    give_number(rich, french_number, paris, bob)
    empty(rich)
    for day in range(33):
        renew_due(now=at("2026-02-25") + timedelta(days=day))
        end_overdue(now=at("2026-02-25") + timedelta(days=day))
    end_overdue(now=at("2026-03-30"))
    assert only().status == "grace"
    credit_company(rich.company, "10", now=at("2026-03-30"))
    renew_due(now=at("2026-03-30"))
    end_overdue(now=at("2026-03-30"))
    assert only().status == "active"


def test_what_waits_in_grace_is_not_written_again_at_each_look(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    empty(rich)
    renew_due(now=at("2026-02-28"))
    end_overdue(now=at("2026-02-28"))
    assert only().status == "grace"
    with CaptureQueriesContext(connection) as queries:
        end_overdue(now=at("2026-02-28", 13))
    assert not [each for each in queries if "UPDATE" in each["sql"]]


@pytest.mark.django_db(transaction=True)
def test_a_cancel_that_waits_for_a_renewal_to_another_plan_cancels_it(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    other = make_plan("voicemail-2", "voicemail", {1: "3"})
    change(rich, other)
    renewed, cancelled = one_in_the_others_way(
        partial(renew_company, rich.company_id, now=at("2026-02-25")),
        partial(cancel_feature, actor=of(rich), subscription_id=only().pk, now=at("2026-02-25")),
    )
    assert not isinstance(renewed, Exception)
    assert not isinstance(cancelled, Exception)
    feature = only()
    assert (feature.plan, feature.renews, feature.paid_until) == (other, False, date(2026, 3, 31))
    assert company_balance(rich.company) == 95
    assert verify_ledger() == []


@pytest.mark.django_db(transaction=True)
def test_a_number_handed_on_twice_at_once_is_the_last_ones(
    rich: Member, bob: Member, fiona: Member, french_number: Plan, paris: NumberArea
) -> None:
    number = give_number(rich, french_number, paris, bob)
    anna = make_member(rich.company, "anna")
    hand_on = partial(reallocate_number, actor=of(rich), subscription_id=number.pk)
    outcomes = one_in_the_others_way(
        partial(hand_on, member_id=fiona.pk), partial(hand_on, member_id=anna.pk)
    )
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert only().member == anna


def test_a_feature_kept_by_a_change_ends_a_second_time_with_notice(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    Plan.objects.update(valid_until=date(2026, 2, 28))
    renew_due(now=at("2026-02-25"))
    other = make_plan("voicemail-2", "voicemail", {1: "3"}, valid_until=date(2026, 3, 31))
    change_feature(
        actor=of(rich), subscription_id=only().pk, plan=other, months=1, now=at("2026-02-27")
    )
    renew_due(now=at("2026-02-27"))
    renew_due(now=at("2026-03-28"))
    assert only().renews is False
    notices = Notice.objects.filter(member=rich, kind="plan_discontinued").order_by("pk")
    assert [notice.data["ends_on"] for notice in notices] == ["2026-02-28", "2026-03-31"]


def test_what_ended_unpaid_is_not_cancelled_afterwards(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    empty(rich)
    for day in ("2026-02-25", "2026-02-28", "2026-03-07"):
        renew_due(now=at(day))
        end_overdue(now=at(day))
    assert (only().status, only().renews) == ("ended", True)
    cancel_feature(actor=of(rich), subscription_id=only().pk, now=at("2026-04-01"))
    assert only().cancelled_at is None
    assert not AuditEntry.objects.filter(verb="cancel_feature").exists()
