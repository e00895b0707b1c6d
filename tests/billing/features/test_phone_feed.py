"""Phone systems hear of every change, in an order in which none is missed."""

from datetime import datetime
from functools import partial

import pytest

from billing.features.numbers import reallocate_number
from billing.features.phone_feed import next_stamp
from billing.features.phones import Phone, phones_of, read_phone, read_phones
from billing.models import NumberArea, PhoneFeed, PhoneSettings, Plan
from billing.renewals import end_overdue
from members.actors import Actor
from members.models import Company, Member
from tests.billing.features.conftest import at, give_plan
from tests.billing.features.phone_kit import (
    LANDLINE,
    MOBILE,
    TERMS,
    answer,
    equip,
    forward,
    number_of,
    price_calls,
    show,
)
from tests.billing.test_leaving_races import one_in_the_others_way
from tests.conftest import make_member


@pytest.fixture(autouse=True)
def _priced(db: None, paris: NumberArea) -> None:
    price_calls("33")


class Listener:
    """A phone system: it keeps a copy, and the last stamp that it was told."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.since: datetime | None = None
        self.copy: dict[int, Phone] = {}

    def listen(self) -> set[int]:
        """Whom it was told about."""
        rows = phones_of(self.company).order_by("updated_at", "pk")
        if self.since is not None:
            rows = rows.filter(updated_at__gt=self.since)
        told = read_phones(self.company, list(rows))
        for phone in told:
            self.since = phone.updated_at
            self.copy[phone.member_id] = phone
        return {phone.member_id for phone in told}

    @property
    def is_right(self) -> bool:
        """Whether the copy is what is so."""
        members = Member.objects.filter(pk__in=self.copy)
        return all(
            read_phone(member) == self.copy[member.pk]
            for member in members.select_related("company")
        )


def test_minutes_alone_are_no_news_for_phone_systems(
    rich: Member, bob: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, bob)
    assert not PhoneSettings.objects.exists()


def test_each_change_is_told_once(alice: Member, bob: Member) -> None:
    system = Listener(alice.company)
    equip(alice, bob)
    assert system.listen() == {bob.pk}
    assert system.listen() == set()
    for work in (partial(answer, bob, bob), partial(forward, bob, bob, MOBILE)):
        work()
        assert system.listen() == {bob.pk}
        work()
        assert system.listen() == set()
    assert system.is_right


def test_the_end_of_features_is_told_and_what_was_set_is_kept(alice: Member, bob: Member) -> None:
    equip(alice, bob)
    own = number_of(alice, bob)
    assert own.number is not None
    answer(bob, bob)
    forward(bob, bob, MOBILE)
    show(bob, bob, own.number.e164)
    system = Listener(alice.company)
    system.listen()
    type(own).objects.update(renews=False, charge_on=None)
    assert end_overdue(now=at("2026-03-01")) == 4
    assert system.listen() == {bob.pk}
    phone = system.copy[bob.pk]
    assert not phone.voicemail_is_active
    assert not phone.forwarding_is_active
    assert (phone.numbers, phone.caller_id, phone.caller_id_is_active) == ((), None, False)
    assert phone.voicemail == TERMS
    equip(alice, bob)
    assert system.listen() == {bob.pk}
    phone = system.copy[bob.pk]
    assert phone.voicemail_is_active
    assert phone.forwarding_is_active
    assert system.is_right


def test_grace_changes_nothing_for_phone_systems(
    rich: Member, bob: Member, voicemail: Plan
) -> None:
    give_plan(rich, voicemail, bob)
    system = Listener(rich.company)
    system.listen()
    assert end_overdue(now=at("2026-03-01")) == 0
    assert system.listen() == set()
    assert read_phone(bob).voicemail_is_active


def test_a_number_handed_on_is_told_of_both_and_is_no_caller_id_any_more(
    alice: Member, bob: Member, fiona: Member
) -> None:
    equip(alice, bob)
    feature = number_of(alice, bob)
    assert feature.number is not None
    show(bob, bob, feature.number.e164)
    system = Listener(alice.company)
    system.listen()
    move = partial(reallocate_number, actor=Actor.of_member(alice))
    move(subscription_id=feature.pk, member_id=fiona.pk)
    assert system.listen() == {bob.pk, fiona.pk}
    assert system.copy[fiona.pk].numbers == (feature.number.e164,)
    assert (system.copy[bob.pk].numbers, system.copy[bob.pk].caller_id) == ((), None)
    move(subscription_id=feature.pk, member_id=bob.pk)
    assert system.listen() == {bob.pk, fiona.pk}
    # It is not chosen anew because it came back.
    assert system.copy[bob.pk].caller_id is None
    assert system.is_right


def test_nobody_forwards_to_a_number_that_ended(alice: Member, bob: Member) -> None:
    carol = make_member(alice.company, "carol")
    equip(alice, carol)
    feature = number_of(alice, bob)
    assert feature.number is not None
    forward(carol, carol, feature.number.e164, LANDLINE)
    system = Listener(alice.company)
    system.listen()
    type(feature).objects.filter(pk=feature.pk).update(renews=False, charge_on=None)
    end_overdue(now=at("2026-02-28"))
    assert system.listen() == {bob.pk, carol.pk}
    assert [each.number for each in system.copy[carol.pk].targets] == [LANDLINE]


def test_another_companys_change_is_not_told(alice: Member, bob: Member, charlie: Member) -> None:
    equip(alice, bob)
    system = Listener(charlie.company)
    assert system.listen() == set()


def test_stamps_never_go_back_and_never_repeat(alice: Member) -> None:
    last = next_stamp(alice.company_id)
    ahead = last.replace(year=last.year + 1)
    PhoneFeed.objects.update(updated_at=ahead)
    after = [next_stamp(alice.company_id) for _ in range(3)]
    assert sorted({ahead, *after}) == [ahead, *after]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_told_after_the_one_that_waited_for_it(
    alice: Member, bob: Member
) -> None:
    carol = make_member(alice.company, "carol")
    equip(alice, bob, carol)
    system = Listener(alice.company)
    system.listen()
    slow, quick = one_in_the_others_way(partial(answer, bob, bob), partial(answer, carol, carol))
    assert not isinstance(slow, Exception)
    assert not isinstance(quick, Exception)
    stamps = dict(PhoneSettings.objects.values_list("pk", "updated_at"))
    assert stamps[bob.pk] < stamps[carol.pk]
    assert system.listen() == {bob.pk, carol.pk}
