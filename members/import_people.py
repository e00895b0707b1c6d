"""Creates the accounts of an import's rows. Its one rule: a row gives what direct creation
gives, in a fixed number of queries for any number of rows.
"""

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from members.actors import Actor
from members.addresses import hold_all_names
from members.import_columns import values_of
from members.import_verdicts import Person, RowCode, judge_people, read_person
from members.lists import create_list
from members.models import ImportJob, ImportRow, Member, MemberList, Notice, User
from members.notices import NoticeKind
from members.placement import note_placements
from members.welcome import LINK_DAYS
from skypemgr.lib.text import search_key


def create_people(job: ImportJob, rows: list[ImportRow]) -> int:
    """Inside the caller's transaction: each row that is still good has a login, a place and a mail
    to come, code ``imported`` and its member; the others their present verdict. Gives the number
    imported.
    """
    hold_all_names()
    company = job.company
    read = [read_person(values_of(row.cells, job.mapping), company.country) for row in rows]
    known = [(row, found.person) for row, found in zip(rows, read, strict=True) if found.person]
    codes = judge_people(company, [person for _row, person in known])
    for (row, _person), code in zip(known, codes, strict=True):
        row.code = code
    good = [(row, person) for row, person in known if row.code == RowCode.OK]
    members = _members(job, [person for _row, person in good])
    for (row, _person), member in zip(good, members, strict=True):
        row.code, row.member = RowCode.IMPORTED, member
    ImportRow.objects.bulk_update([row for row, _person in good], ["code", "member"])
    return len(good)


def _members(job: ImportJob, people: list[Person]) -> list[Member]:
    company = job.company
    lists = _lists(job, people)
    users = User.objects.bulk_create(
        User(
            username=person.username,
            email=person.email,
            name=person.name,
            phone=person.phone,
            # Nobody can sign in before the link in the mail was followed.
            password=make_password(None),
        )
        for person in people
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, primary=True, verified=False) for user in users
    )
    members = []
    for user, person in zip(users, people, strict=True):
        member = Member(
            company=company,
            user=user,
            role=person.role,
            list=lists.get(search_key(person.list_name)) if person.list_name else None,
            name=person.name,
            work_email=person.email,
            job_title=person.job_title,
            cost_centre=person.cost_centre,
        )
        member.set_name_keys()
        members.append(member)
    Member.objects.bulk_create(members)
    note_placements(members)
    inviter = job.created_by.name if job.created_by else ""
    # Found and mailed by the sweep, so that a big import does not hold up other work.
    Notice.objects.bulk_create(
        Notice(
            company=company,
            member=member,
            kind=NoticeKind.WELCOME,
            key="welcome",
            data={"inviter": inviter, "days": LINK_DAYS},
        )
        for member in members
    )
    return members


def _lists(job: ImportJob, people: list[Person]) -> dict[str, MemberList]:
    """The company's lists by key; those that people name and that are missing are created."""
    used = MemberList.objects.filter(company_id=job.company_id, archived_at=None)
    lists = {found.name_key: found for found in used}
    for person in people:
        key = search_key(person.list_name)
        if key and key not in lists:
            lists[key] = create_list(actor=Actor.system(job.company), name=person.list_name)
    return lists
