"""Personas and helpers of all tests.

alice administers Acme (Paris, EUR); bob is a member, fiona its finance; charlie administers another
company. Credit comes from real postings.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from hypothesis import settings as examples
from pytest_django import Settings

from credit.accounts import ensure_accounts
from credit.allocation import Allocation, Recipients, allocate
from credit.ledger import Move, post_transfers
from credit.requests import OutsideKey
from members.actors import Actor
from members.companies import create_company
from members.joining import add_member
from members.models import Company, Member, User
from skypemgr.lib.periods import utc_now

PASSWORD = "correct horse battery"
ClientOf = Callable[..., Client]

# No test fails because the machine is slow.
examples.register_profile("patient", examples.default, deadline=None)
examples.load_profile("patient")


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Settings) -> None:
    """Argon2 is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits and live versions live in the cache."""
    cache.clear()


def make_user(name: str) -> User:
    """A login with a verified address ``<name>@example.com``."""
    user = User.objects.create_user(name, f"{name}@example.com", PASSWORD, name=name.capitalize())
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_company(name: str, administrator: str, **fields: str) -> Member:
    """A company with one administrator."""
    terms = {"country": "FR", "currency": "EUR", "time_zone": "Europe/Paris", "language": "en"}
    _company, member = create_company(
        name=name, user=make_user(administrator), **{**terms, **fields}
    )
    return member


def make_member(company: Company, name: str, role: str = "member") -> Member:
    """A member of the company with a login."""
    return add_member(company=company, user=make_user(name), name=name.capitalize(), role=role)


def credit_company(
    company: Company, amount: str | int | Decimal, *, now: datetime | None = None
) -> None:
    """The company's balance is higher by the amount, as after a purchase."""
    accounts = ensure_accounts(company)
    move = Move(
        "purchase",
        accounts.purchases,
        accounts.company,
        Decimal(amount),
        f"purchase:test-{uuid.uuid4()}",
    )
    post_transfers(company.pk, [move], now=now or utc_now())


def give(
    administrator: Member, member: Member, amount: str | Decimal, *, now: datetime | None = None
) -> Allocation:
    """The administrator allocates the amount to the member."""
    return allocate(
        actor=Actor.of_member(administrator),
        amount=Decimal(amount),
        recipients=Recipients(member_ids=(member.pk,)),
        request=OutsideKey.of_form(str(uuid.uuid4()), amount),
        now=now,
    )


@pytest.fixture
def alice(db: None) -> Member:
    return make_company("Acme", "alice")


@pytest.fixture
def acme(alice: Member) -> Company:
    return alice.company


@pytest.fixture
def bob(acme: Company) -> Member:
    return make_member(acme, "bob")


@pytest.fixture
def fiona(acme: Company) -> Member:
    return make_member(acme, "fiona", role="finance")


@pytest.fixture
def charlie(db: None) -> Member:
    return make_company("Other", "charlie")


@pytest.fixture
def credited() -> Callable[..., None]:
    return credit_company


@pytest.fixture
def client_of() -> ClientOf:
    """A browser in which the member is signed in, reading English unless told."""

    def make(member: Member, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
        if language != "en":
            member.user.language = language
            member.user.save(update_fields=("language",))
        return client

    return make
