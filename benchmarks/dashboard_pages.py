"""The dashboard and the page of calls, in one company with a long past among many: whole, and as
the fragments that come by themselves.
"""

from collections.abc import Iterator
from datetime import date

from benchmarks.pages import Page, browser
from benchmarks.report_pages import TARGET
from members.models import Member, MemberList
from members.models.people import Role
from skypemgr.lib.periods import add_months

FRAGMENT = {"HX-Request": "true"}


def list_pages(administrator: Member, month: date) -> Iterator[Page]:
    """Both pages of the company, of a list and of a member; the calls of a month, a day and a year,
    and those that a member sees.
    """
    company = administrator.company
    people = Member.objects.filter(company=company, status=Member.Status.ACTIVE).order_by("pk")
    finance = people.filter(role=Role.FINANCE)[0]
    person = people.filter(role=Role.MEMBER)[0]
    chosen = MemberList.objects.filter(company=company).order_by("pk")[0]
    scopes = {"company": "", "list": f"list={chosen.pk}", "member": f"member={person.pk}"}
    browsers = {"administrator": browser(administrator), "finance": browser(finance)}
    for scope, query in scopes.items():
        for role, client in browsers.items():
            yield Page(f"dashboard of {scope}, {role}", client, f"/?{query}", target=TARGET)
        fragment = f"dashboard of {scope}, what moves by itself"
        yield Page(fragment, browsers["administrator"], f"/?{query}", FRAGMENT, TARGET)
    before = add_months(month, -1)
    day = before.replace(day=10)
    days = {
        "this month": f"month={month:%Y-%m}",
        "last month": f"month={before:%Y-%m}",
        "last year": f"year={month.year - 1}",
        "one day": f"from={day}&to={day}",
    }
    own = browser(person)
    for name, span in days.items():
        for scope, query in scopes.items():
            subject = f"calls of {scope}, {name}"
            yield Page(subject, browsers["administrator"], f"/calls/?{query}&{span}", target=TARGET)
        yield Page(f"own calls, {name}", own, f"/calls/?{span}", target=TARGET)
