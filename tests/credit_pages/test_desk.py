"""The operator's desk for credit reads everything and changes nothing."""

import pytest
from django.test import Client

from credit.allocation import Recipients
from credit.models import Call, RechargeRule, Transfer
from credit.rules import RuleTerms, save_rules
from members.actors import Actor
from members.models import Member, User
from skypemgr.lib.periods import utc_now
from tests.conftest import give
from tests.credit_pages.conftest import post_call, words_of

TABLES = (
    "account",
    "transfer",
    "dailytotal",
    "rechargerule",
    "rechargeoutcome",
    "rate",
    "call",
    "outsiderequest",
)


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    user = User.objects.create_superuser("operator", "operator@example.com", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def busy(rich: Member, bob: Member) -> Member:
    give(rich, bob, "5")
    post_call(bob, "1")
    terms = RuleTerms(*(Transfer.objects.latest("id").amount for _ in range(3)))
    recipients = Recipients(member_ids=(bob.pk,))
    save_rules(actor=Actor.of_member(rich), recipients=recipients, terms=terms)
    now = utc_now()
    Call.objects.create(
        company=bob.company,
        member=bob,
        source="test",
        external_id="1",
        destination="+33142276830",
        started_at=now,
        duration_seconds=60,
        billed_seconds=60,
        price=1,
        collected=1,
        uncollected=0,
        booked_on=now.date(),
        started_on=now.date(),
        created_at=now,
    )
    return bob


@pytest.mark.parametrize("table", TABLES)
def test_each_table_is_listed_and_nothing_can_be_added(
    operator: Client, busy: Member, table: str
) -> None:
    assert operator.get(f"/admin/credit/{table}/").status_code == 200
    assert operator.get(f"/admin/credit/{table}/?q=1").status_code == 200
    assert operator.get(f"/admin/credit/{table}/add/").status_code == 403


def test_a_row_is_shown_and_neither_changed_nor_deleted(operator: Client, busy: Member) -> None:
    rule = RechargeRule.objects.get()
    address = f"/admin/credit/rechargerule/{rule.pk}/"
    assert operator.get(f"{address}change/").status_code == 200
    assert operator.post(f"{address}change/", {"amount": "99"}).status_code == 403
    assert operator.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    assert RechargeRule.objects.get().amount == rule.amount


def test_called_numbers_are_not_shown_to_the_operator(operator: Client, busy: Member) -> None:
    call = Call.objects.get()
    for address in ("/admin/credit/call/", f"/admin/credit/call/{call.pk}/change/"):
        assert "3314227" not in words_of(operator.get(address))


def test_administrators_of_a_company_have_no_desk(client: Client, alice: Member) -> None:
    client.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/credit/transfer/").status_code == 302
