"""What stands round every page: company, navigation, balance.

Its one rule: nothing is looked up until a template asks, and then with one query at most.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from credit.accounts import purse_of_company
from credit.models import Account
from members.inbox import own_notices
from members.models import Company, Member
from members.models.people import Role
from skypemgr.lib import live


@dataclass(frozen=True)
class NavItem:
    """One entry of the navigation."""

    url: str
    label: str | Promise
    icon: str
    active: bool


@dataclass(frozen=True)
class Shell:
    """What base.html draws; without a company all but the person is empty."""

    person_name: str = ""
    company: Company | None = None
    member: Member | None = None
    role: str = ""
    role_label: str | Promise = ""
    nav: tuple[NavItem, ...] = ()
    balance: Decimal | None = None
    currency: str = ""
    balance_url: str = ""
    unread_count: int = 0
    version: int | None = None


@dataclass(frozen=True)
class _Entry:
    name: str
    label: Promise
    icon: str
    prefixes: tuple[str, ...]


_DASHBOARD = _Entry("dashboard", _("Dashboard"), "layout-dashboard", ())
_MEMBERS = _Entry("members", _("Members"), "users", ("/members/", "/requests/"))
_FEATURES = _Entry("features", _("Features"), "phone-call", ("/features/",))
_BUY = _Entry("buy", _("Buy credit"), "credit-card", ("/buy/",))
_REPORTS = _Entry("reports", _("Reports"), "chart-bar", ("/reports/", "/purchases/", "/calls/"))
_SETTINGS = _Entry("settings", _("Settings"), "settings", ("/settings/", "/profile/"))
_ME = _Entry("me", _("My account"), "wallet", ("/me/", "/calls/"))

_NAVIGATION: dict[str, tuple[_Entry, ...]] = {
    Role.ADMINISTRATOR: (_DASHBOARD, _MEMBERS, _FEATURES, _BUY, _REPORTS, _SETTINGS),
    Role.FINANCE: (_DASHBOARD, _MEMBERS, _FEATURES, _REPORTS, _SETTINGS),
    Role.MEMBER: (_ME, _SETTINGS),
}
_BALANCE_PAGES: dict[str, str] = {
    Role.ADMINISTRATOR: "buy",
    Role.FINANCE: "reports",
    Role.MEMBER: "me",
}


def shell(request: HttpRequest) -> dict[str, object]:
    """The context processor: ``shell``, built when a template first reads it."""
    return {"shell": SimpleLazyObject(lambda: build_shell(request))}


def build_shell(request: HttpRequest) -> Shell:
    """The shell of the person who asks; empty for somebody without a place in a company."""
    member: Member | None = getattr(request, "member", None)
    if not member:
        user = getattr(request, "user", None)
        return Shell(person_name=str(user) if user and user.is_authenticated else "")
    company = member.company
    balance, unread_count = _figures(member)
    return Shell(
        person_name=member.name,
        company=company,
        member=member,
        role=member.role,
        role_label=Role(member.role).label,
        nav=_navigation(member.role, request.path),
        balance=balance,
        currency=company.currency,
        balance_url=reverse(_BALANCE_PAGES[member.role]),
        unread_count=unread_count,
        version=_version(request, company),
    )


def keep_version(request: HttpRequest) -> None:
    """The page will carry the version as it is now, before anything is read: a change that comes
    in between is then shown by the next poll.
    """
    member: Member | None = getattr(request, "member", None)
    if member:
        request.live_version = live.version(member.company_id)  # type: ignore[attr-defined]


def _version(request: HttpRequest, company: Company) -> int | None:
    if hasattr(request, "live_version"):
        kept: int | None = request.live_version
        return kept
    return live.version(company.pk)


def shown_balance(member: Member) -> Decimal:
    """The company's balance for those who may read it, else the member's own; one query."""
    return _shown_purse(member).values_list("balance", flat=True).first() or Decimal(0)


def _shown_purse(member: Member) -> QuerySet[Account]:
    if member.role == Role.MEMBER:
        return Account.objects.filter(company_id=member.company_id, member=member)
    return purse_of_company(member.company_id)


def _figures(member: Member) -> tuple[Decimal, int]:
    """The shown balance and how many notices are not read; one query."""
    unread = own_notices(member).filter(read_at=None).order_by().values("member")
    balance, unread_count = Member.objects.values_list(
        Subquery(_shown_purse(member).values("balance")[:1]),
        Subquery(unread.annotate(count=Count("pk")).values("count")),
    ).get(pk=member.pk)
    return balance or Decimal(0), unread_count or 0


def _navigation(role: str, path: str) -> tuple[NavItem, ...]:
    return tuple(
        NavItem(
            url=(url := reverse(entry.name)),
            label=entry.label,
            icon=entry.icon,
            active=path == url or path.startswith(entry.prefixes),
        )
        for entry in _NAVIGATION[role]
    )
