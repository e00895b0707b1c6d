"""No call goes in a circle, in whatever order and by however many at once forwarding is set and
numbers change hands.
"""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.errors import SettingsRefused
from billing.features.numbers import reallocate_number
from billing.models import ForwardingTarget, NumberArea, Subscription
from billing.renewals import end_overdue
from members.actors import Actor
from members.models import Member
from tests.billing.features.conftest import at
from tests.billing.features.phone_kit import MOBILE, equip, forward, number_of, price_calls
from tests.billing.test_leaving_races import code, one_in_the_others_way
from tests.conftest import make_member

Graph = dict[int, set[int]]


@pytest.fixture
def team(alice: Member, paris: NumberArea) -> list[Member]:
    """Four with a number and forwarding each."""
    price_calls("33")
    team = [make_member(alice.company, name) for name in ("anna", "ben", "cleo", "dan")]
    equip(alice, *team)
    for member in team:
        number_of(alice, member)
    return team


def numbers(team: list[Member]) -> list[str]:
    """Their first numbers."""
    return [
        Subscription.objects.filter(member=member, kind="number").values_list(
            "number__e164", flat=True
        )[0]
        or ""
        for member in team
    ]


def read_graph() -> Graph:
    """Who forwards to whom now."""
    holders = dict(
        Subscription.objects.filter(kind="number", status__in=Subscription.OPEN).values_list(
            "number__e164", "member_id"
        )
    )
    graph: Graph = {}
    for member_id, number in ForwardingTarget.objects.values_list("settings_id", "number"):
        if number in holders:
            graph.setdefault(member_id, set()).add(holders[number])
    return graph


def has_circle(graph: Graph) -> bool:
    """Whether somebody is reached from themselves, found the plain way."""
    for start in graph:
        waiting, seen = list(graph[start]), set()
        while waiting:
            member = waiting.pop()
            if member == start:
                return True
            if member not in seen:
                seen.add(member)
                waiting.extend(graph.get(member, ()))
    return False


@pytest.mark.django_db
def test_two_who_forward_to_each_other_are_refused_at_any_distance(team: list[Member]) -> None:
    anna, ben, cleo, dan = team
    a, b, c, d = numbers(team)
    forward(anna, anna, MOBILE, b)
    forward(ben, ben, c)
    forward(cleo, cleo, d)
    for wrong in (a, b, c):
        with pytest.raises(SettingsRefused) as caught:
            forward(dan, dan, MOBILE, wrong)
        assert (caught.value.code, caught.value.field) == ("forwarding_loop", "targets.1.number")
    assert not has_circle(read_graph())
    forward(cleo, cleo, MOBILE)
    forward(dan, dan, a)


@pytest.mark.django_db
def test_a_number_is_not_handed_to_somebody_whose_calls_would_come_back(
    alice: Member, team: list[Member]
) -> None:
    anna, ben, cleo, _dan = team
    _a, b, c, _d = numbers(team)
    forward(anna, anna, b)
    forward(cleo, cleo, numbers(team)[0])
    feature = Subscription.objects.get(number__e164=b)
    for receiver in (anna, cleo):
        with pytest.raises(SettingsRefused) as caught:
            reallocate_number(
                actor=Actor.of_member(alice), subscription_id=feature.pk, member_id=receiver.pk
            )
        assert caught.value.code == "forwarding_loop"
        assert "Anna" in str(caught.value)
    feature.refresh_from_db()
    assert feature.member_id == ben.pk
    # That way round nobody comes back.
    other = Subscription.objects.get(number__e164=c)
    reallocate_number(actor=Actor.of_member(alice), subscription_id=other.pk, member_id=ben.pk)
    assert not has_circle(read_graph())


@pytest.mark.django_db
def test_a_number_given_anew_is_not_what_was_forwarded_to(alice: Member, paris: NumberArea) -> None:
    price_calls("33")
    anna, ben = make_member(alice.company, "anna"), make_member(alice.company, "ben")
    equip(alice, anna)
    feature = number_of(alice, ben)
    assert feature.number is not None
    forward(anna, anna, feature.number.e164)
    Subscription.objects.filter(pk=feature.pk).update(renews=False, charge_on=None)
    end_overdue(now=at("2026-02-28"))
    assert not ForwardingTarget.objects.exists()


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("forward"),
            st.integers(0, 3),
            st.lists(st.integers(0, 3), max_size=3, unique=True),
        ),
        st.tuples(st.just("move"), st.integers(0, 3), st.integers(0, 3)),
    ),
    max_size=14,
)


@pytest.mark.django_db
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_in_any_story_there_is_no_circle_and_nothing_else_is_refused(
    alice: Member, team: list[Member], steps: list[tuple[str, int, object]]
) -> None:
    ForwardingTarget.objects.all().delete()
    owned = list(Subscription.objects.filter(kind="number").order_by("pk"))
    for feature, member in zip(owned, team, strict=True):
        Subscription.objects.filter(pk=feature.pk).update(member=member)
    work: Callable[[], object]
    for what, who, whom in steps:
        wished = read_graph()
        if what == "forward":
            assert isinstance(whom, list)
            features = [Subscription.objects.get(pk=owned[index].pk) for index in whom]
            wished[team[who].pk] = {feature.member_id for feature in features}
            targets = [feature.number.e164 for feature in features if feature.number]
            work = partial(forward, team[who], team[who], *targets)
        else:
            assert isinstance(whom, int)
            feature = Subscription.objects.select_related("number").get(pk=owned[who].pk)
            assert feature.number is not None
            wished = _moved(feature.number.e164, team[whom].pk)
            work = partial(
                reallocate_number,
                actor=Actor.of_member(alice),
                subscription_id=feature.pk,
                member_id=team[whom].pk,
            )
        refused = _refusal(work)
        assert (refused in ("forwarding_loop", "own_number")) == has_circle(wished)
        if not refused:
            assert read_graph() == {pk: to for pk, to in wished.items() if to}
        assert not has_circle(read_graph())


def _refusal(work: Callable[[], object]) -> str:
    """The code with which it is refused, empty if it is not."""
    try:
        work()
    except SettingsRefused as error:
        return error.code
    return ""


def _moved(number: str, receiver: int) -> Graph:
    """The graph as it would be if the receiver had the number."""
    holders = dict(
        Subscription.objects.filter(kind="number").values_list("number__e164", "member_id")
    )
    holders[number] = receiver
    moved: Graph = {}
    for member_id, each in ForwardingTarget.objects.values_list("settings_id", "number"):
        if each in holders:
            moved.setdefault(member_id, set()).add(holders[each])
    return moved


@pytest.mark.django_db(transaction=True)
def test_two_at_once_who_forward_to_each_other_do_not_both_succeed(
    alice: Member, team: list[Member]
) -> None:
    anna, ben, *_rest = team
    a, b, *_others = numbers(team)
    first, second = one_in_the_others_way(
        partial(forward, anna, anna, b), partial(forward, ben, ben, a)
    )
    assert not isinstance(first, Exception)
    assert code(second) == "forwarding_loop"
    assert not has_circle(read_graph())


@pytest.mark.django_db(transaction=True)
def test_a_number_handed_on_while_somebody_forwards_makes_no_circle(
    alice: Member, team: list[Member]
) -> None:
    anna, _ben, *_rest = team
    b = numbers(team)[1]
    feature = Subscription.objects.get(number__e164=b)
    moved, forwarded = one_in_the_others_way(
        partial(
            reallocate_number,
            actor=Actor.of_member(alice),
            subscription_id=feature.pk,
            member_id=anna.pk,
        ),
        partial(forward, anna, anna, b),
    )
    assert not isinstance(moved, Exception)
    assert code(forwarded) == "own_number"


@pytest.mark.django_db(transaction=True)
def test_of_two_edits_at_once_the_later_one_stands_whole(team: list[Member]) -> None:
    anna, *_rest = team
    _a, b, c, d = numbers(team)
    first, second = one_in_the_others_way(
        partial(forward, anna, anna, b, c), partial(forward, anna, anna, d)
    )
    assert not isinstance(first, Exception)
    assert not isinstance(second, Exception)
    assert list(ForwardingTarget.objects.values_list("number", flat=True)) == [d]
