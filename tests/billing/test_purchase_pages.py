"""Who may buy, who may read purchases, and how the list is read."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from members.models import Member
from tests.billing.conftest import (
    buy,
    create,
    text_of,
)
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db


ADMINISTRATORS_PAGES = (
    "/buy/",
    "/buy/amount/",
    "/buy/check/",
    "/buy/again/",
    "/settings/payment/",
)


@pytest.mark.parametrize("address", ADMINISTRATORS_PAGES)
def test_only_administrators_buy(
    alice: Member, bob: Member, fiona: Member, client_of: ClientOf, client: Client, address: str
) -> None:
    assert client_of(alice).get(address).status_code in (200, 302)
    for member in (bob, fiona):
        assert client_of(member).get(address).status_code == 403
    assert client.get(address)["Location"].startswith("/accounts/login/")


def test_administrators_and_finance_read_purchases_and_members_do_not(
    alice: Member, bob: Member, fiona: Member, client_of: ClientOf
) -> None:
    purchase = buy(alice)
    for address in ("/purchases/", f"/purchases/{purchase.pk}/"):
        for reader in (alice, fiona):
            assert "€50.00" in text_of(client_of(reader).get(address))
        assert client_of(bob).get(address).status_code == 403
    assert "/buy/" not in client_of(fiona).get("/purchases/").content.decode()


@pytest.mark.parametrize("page", ["", "status/", "retry/"])
def test_another_companys_purchase_is_not_found(
    alice: Member, charlie: Member, client_of: ClientOf, page: str
) -> None:
    purchase = create(alice)
    assert client_of(charlie).get(f"/purchases/{purchase.pk}/{page}").status_code == 404


def test_the_list_asks_the_database_as_often_for_thirty_as_for_two(
    alice: Member, client_of: ClientOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = client_of(alice)
    for _ in range(2):
        buy(alice)
    with CaptureQueriesContext(connection) as few:
        browser.get("/purchases/")
    for _ in range(28):
        buy(alice)
    with django_assert_num_queries(len(few)):
        browser.get("/purchases/")


def test_no_purchases_yet_says_what_to_do(alice: Member, client_of: ClientOf) -> None:
    assert "No purchases yet" in text_of(client_of(alice).get("/purchases/"))
