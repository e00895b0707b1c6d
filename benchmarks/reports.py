"""What reports read, in one company with a long past among many: the time of each on the server."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import dashboard_pages, exports, report_pages
from benchmarks.figures import Figure, at_most, memory, seconds
from benchmarks.pages import open_in_turns
from credit.figures import Level, totals
from credit.generating_history import generate_history
from credit.models import Call
from credit.usage import By, Within, booked_later, usage_by
from credit.usage_members import usage_of_members
from members.actors import Actor
from members.call_details import set_consent, switch_call_details
from members.companies import create_company
from members.joining import create_member
from members.models import Company, Member, MemberList, User
from members.models.people import Role
from skypemgr.lib.periods import add_months, first_of_month, first_of_next_month, utc_now

MONTHS = 36
ROUNDS = 9
LONGEST_FILE = 1_000_000
SMALL_MEMBERS, SMALL_CALLS, SMALL_MONTHS = 5, 100, 2


@dataclass(frozen=True)
class World:
    """The large company and who administers it."""

    company: Company
    administrator: Member

    @property
    def today(self) -> date:
        """The company's day."""
        return self.company.day_at(utc_now())

    @property
    def month(self) -> tuple[date, date]:
        """The present month, whole."""
        first = first_of_month(self.today)
        return first, date.fromordinal(first_of_next_month(first).toordinal() - 1)

    @property
    def year(self) -> tuple[date, date]:
        """The last twelve months, the present one among them."""
        first, last = self.month
        return add_months(first, -11), last


def make_world(name: str, *, members: int, calls: int, months: int) -> World:
    """A company with a past; people, purses and rates as they would be."""
    user = User.objects.create_user(name, f"{name}@example.com")
    company, administrator = create_company(
        name=name, country="FR", currency="EUR", time_zone="Europe/Paris", language="en", user=user
    )
    actor = Actor.of_member(administrator)
    now = utc_now()
    generate_history(actor, members=members, calls=calls, months=months, seed=1, now=now)
    return World(company, administrator)


def measure(companies: int, members: int, calls: int) -> Iterator[Figure]:
    """The companies get their past; then what reports read, each the middle one of several."""
    for number in range(companies - 1):
        make_world(
            f"reports-{number}", members=SMALL_MEMBERS, calls=SMALL_CALLS, months=SMALL_MONTHS
        )
    made: list[World] = []
    taken = seconds(
        lambda: made.append(make_world("reports", members=members, calls=calls, months=MONTHS))
    )
    world = made[0]
    stored = Call.objects.filter(company=world.company).count()
    yield Figure(f"{calls:,} calls of {members:,} members made up", f"{stored / taken:,.0f}/s")
    yield at_most("memory of the process that made them", memory(), 1_000, " MB")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    yield from figures(world)
    yield from pages(world)
    yield from files(min(calls, LONGEST_FILE))


def files(calls: int) -> Iterator[Figure]:
    """Files of one member with so many calls, for an administrator who does not see all digits."""
    world = make_world("files", members=1, calls=calls, months=MONTHS)
    owner = Actor.of_member(world.administrator)
    viewer = create_member(
        actor=owner, email="viewer@files.example", name="Viewer", role=Role.ADMINISTRATOR
    )
    switch_call_details(actor=owner, on=True)
    set_consent(actor=owner, consents=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE credit_call")
    stored = Call.objects.filter(member=world.administrator).count()
    yield from exports.measure(world.administrator.pk, viewer.pk, stored)


def pages(world: World) -> Iterator[Figure]:
    """The dashboard, the calls and the first page of each report."""
    wanted = (world.administrator, world.month[0])
    yield from open_in_turns(
        [*dashboard_pages.list_pages(*wanted), *report_pages.list_pages(*wanted)]
    )


def figures(world: World) -> Iterator[Figure]:
    """The verbs that pages of reports call; the targets are the pages'."""
    company = world.company
    chosen = MemberList.objects.filter(company=company).order_by("pk")[:1]
    within = Within(list_id=chosen[0].pk)
    for name, span in (("month", world.month), ("twelve months", world.year)):
        yield read(f"totals of every level, {name}", partial(totals, company, *span, *Level))
        for by in By:
            yield read(f"usage by {by.value}, {name}", partial(usage_by, company, *span, by=by))
        of_list = partial(usage_by, company, *span, by=By.DESTINATION, within=within)
        yield read(f"usage of a list by destination, {name}", of_list)
        yield read(f"usage booked after it, {name}", partial(booked_later, company, *span))
        for sort in ("-collected", "name"):
            of_members = partial(usage_of_members, company, *span, sort=sort)
            yield read(f"usage of members by {sort}, {name}", of_members)
    first, last = world.month
    broken = (first.replace(day=5), last.replace(day=25))
    part = partial(usage_of_members, company, *broken)
    yield read("usage of members, part of a month", part)
    searched = partial(usage_of_members, company, *world.month, search="dupre")
    yield read("usage of members searched, month", searched)


def read(subject: str, work: Callable[[], object]) -> Figure:
    """How long it takes; the number of queries is named."""
    with CaptureQueriesContext(connection) as queries:
        work()
    times = [seconds(work) * 1000 for _round in range(ROUNDS)]
    count = len(queries)
    named = f"{subject} ({count} quer{'y' if count == 1 else 'ies'})"
    return Figure(named, f"{statistics.median(times):.0f} ms")
