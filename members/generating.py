"""People made up for development and measurements. Its one rule: the same seed makes the same
people, as the verbs would leave them, in a fixed number of statements per thousand.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils.text import slugify

from members.actors import Actor
from members.lists import create_list
from members.models import Company, Member, MemberList, MemberPlacement, User
from members.models.people import Role

CHUNK = 2_000
YEARS_BACK = 4
NAMES = Path(__file__).with_name("data") / "made_up_names.csv"
COST_CENTRES = [f"{letter}{number}" for letter in "ABCD" for number in (100, 200, 300, 400)]
# Out of a thousand: who administers, and who reads.
ADMINISTRATORS, FINANCE = 2, 5


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as drawn: a name, a place, and since when."""

    name: str
    username: str
    phone: str | None
    role: str
    list: MemberList | None
    cost_centre: str
    joined_at: datetime


def make_people(
    company: Company, actor: Actor, count: int, *, dice: random.Random, now: datetime
) -> list[int]:
    """The company has so many more active members, in lists made on the way; their ids in order.

    They have no password: nobody can sign in as one of them.
    """
    lists = _lists(company, actor)
    first = Member.objects.filter(company=company).count()
    pks: list[int] = []
    for start in range(0, count, CHUNK):
        numbers = range(first + start, first + min(start + CHUNK, count))
        people = [_draw(company, number, lists, dice, now) for number in numbers]
        pks.extend(_store(company, people))
    return pks


def end_some(company: Company, pks: Sequence[int], *, dice: random.Random, now: datetime) -> int:
    """About one in twenty of the members has left or was removed within the last year."""
    gone = [pk for pk in pks if dice.random() < 0.05]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_member SET status = ended.status, ended_at = ended.at"
            " FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS ended (id, status, at)"
            " WHERE members_member.id = ended.id AND company_id = %s AND role = 'member'",
            [
                gone,
                [dice.choice((Member.Status.REMOVED, Member.Status.LEFT)).value for _pk in gone],
                [now - timedelta(days=dice.randrange(365)) for _pk in gone],
                company.pk,
            ],
        )
        return int(cursor.rowcount)


def suspend_some(company: Company, pks: Sequence[int], *, dice: random.Random) -> int:
    """About one in thirty of the members is suspended; none of them has a rule yet."""
    chosen = [pk for pk in pks if dice.random() < 0.03]
    members = Member.objects.filter(company=company, pk__in=chosen, role=Role.MEMBER)
    return members.filter(status=Member.Status.ACTIVE).update(status=Member.Status.SUSPENDED)


@lru_cache
def _names() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with NAMES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["kind"], []).append(row["name"])
    return found


def _lists(company: Company, actor: Actor) -> list[MemberList | None]:
    found = {
        entry.name: entry for entry in MemberList.objects.filter(company=company, archived_at=None)
    }
    made = [found.get(name) or create_list(actor=actor, name=name) for name in _names()["list"]]
    # The first lists are larger than the last, and some people are in none.
    return [None, None, None, *made, *made[:8], *made[:4], *made[:2]]


def _draw(
    company: Company,
    number: int,
    lists: Sequence[MemberList | None],
    dice: random.Random,
    now: datetime,
) -> Person:
    first, last = dice.choice(_names()["first"]), dice.choice(_names()["last"])
    if dice.random() < 0.08:
        last = f"{last}-{dice.choice(_names()['last'])}"
    among = dice.randrange(1000)
    role = Role.MEMBER
    if among < FINANCE:
        role = Role.ADMINISTRATOR if among < ADMINISTRATORS else Role.FINANCE
    return Person(
        name=f"{first} {last}",
        username=f"{slugify(first) or 'a'}.{slugify(last) or 'b'}.{company.pk}.{number}"[:64],
        phone=f"+336{dice.randrange(10**8):08}" if dice.random() < 0.3 else None,
        role=role,
        list=dice.choice(lists),
        cost_centre=dice.choice(COST_CENTRES) if dice.random() < 0.7 else "",
        joined_at=now - timedelta(seconds=dice.randrange(YEARS_BACK * 365 * 86_400)),
    )


def _store(company: Company, people: Sequence[Person]) -> Iterator[int]:
    """One transaction: the logins, their addresses, the members and where they belong."""
    with transaction.atomic():
        users = User.objects.bulk_create(
            User(
                username=person.username,
                email=f"{person.username}@example.com",
                phone=person.phone,
                name=person.name,
                password=make_password(None),
            )
            for person in people
        )
        EmailAddress.objects.bulk_create(
            EmailAddress(user=user, email=user.email, primary=True, verified=False)
            for user in users
        )
        members = [
            _member(company, user, person) for user, person in zip(users, people, strict=True)
        ]
        Member.objects.bulk_create(members)
        MemberPlacement.objects.bulk_create(
            MemberPlacement(
                company=company,
                member=member,
                valid_from=company.day_at(person.joined_at),
                list=person.list,
                cost_centre=person.cost_centre,
            )
            for member, person in zip(members, people, strict=True)
        )
        _date_back(members, people)
    return (member.pk for member in members)


def _member(company: Company, user: User, person: Person) -> Member:
    member = Member(
        company=company,
        user=user,
        role=person.role,
        list=person.list,
        name=person.name,
        work_email=user.email,
        work_phone=person.phone or "",
        cost_centre=person.cost_centre,
    )
    member.set_name_keys()
    return member


def _date_back(members: Sequence[Member], people: Sequence[Person]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_member SET joined_at = joined.at"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) AS joined (id, at)"
            " WHERE members_member.id = joined.id",
            [[member.pk for member in members], [person.joined_at for person in people]],
        )
