"""The operator reads payments and edits none."""

import pytest
from django.test import Client

from billing.models import Purchase
from members.models import Member, User
from tests.billing.conftest import buy, terms

pytestmark = pytest.mark.django_db
TABLES = (
    "purchase",
    "paymentevent",
    "paymentmethod",
    "autopurchaserule",
    "autopurchaseconsent",
    "autopurchaseoutcome",
    "forgetwish",
)


@pytest.fixture
def operator(client: Client) -> Client:
    user = User.objects.create_user("operator", "operator@example.com", "x")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.refresh_from_db()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_listed_and_cannot_be_added_to(
    alice: Member, operator: Client, table: str
) -> None:
    buy(alice, terms=terms())
    assert operator.get(f"/admin/billing/{table}/").status_code == 200
    assert operator.get(f"/admin/billing/{table}/add/").status_code == 403


def test_a_purchase_is_shown_and_not_changed(alice: Member, operator: Client) -> None:
    purchase = buy(alice)
    address = f"/admin/billing/purchase/{purchase.pk}/change/"
    assert operator.get(address).status_code == 200
    assert operator.post(address, {"amount": "1"}).status_code == 403
    assert Purchase.objects.get().amount == 50
