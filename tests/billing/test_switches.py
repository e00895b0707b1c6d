"""The kill switches: what is not sent yet stops, what was sent is settled."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from billing.auto_purchase import evaluate_auto_purchase
from billing.errors import PurchasesStopped
from billing.models import BillingProfile, BillingSwitch, Purchase
from billing.purchases import advance_purchase
from billing.switches import (
    are_purchases_on,
    require_purchases_on,
    resume_purchases,
    stop_purchases,
)
from credit.accounts import company_balance
from members.models import AuditEntry, Member, User
from tests.billing.conftest import (
    LATE,
    NOON,
    assert_paid_once,
    buy,
    create,
    five_seconds_pass,
    set_rule,
    text_of,
)
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db
Status = Purchase.Status


def test_a_stopped_installation_sells_nothing_to_anybody(alice: Member, charlie: Member) -> None:
    stop_purchases(now=NOON)
    for member in (alice, charlie):
        with pytest.raises(PurchasesStopped) as caught:
            buy(member, now=NOON)
        assert caught.value.code == "purchases_stopped"
    assert not Purchase.objects.exists()


def test_a_stopped_company_leaves_the_others_alone(alice: Member, charlie: Member) -> None:
    stop_purchases(company=alice.company, now=NOON)
    with pytest.raises(PurchasesStopped):
        buy(alice, now=NOON)
    assert_paid_once(buy(charlie, now=NOON))


def test_automatic_alone_leaves_people_free_to_buy(alice: Member) -> None:
    set_rule(alice)
    stop_purchases(automatic_only=True, now=NOON)
    assert evaluate_auto_purchase(alice.company_id, now=NOON) is None
    assert_paid_once(buy(alice, now=NOON))


def test_a_stopped_companys_auto_recharge_waits_and_goes_on_by_itself(alice: Member) -> None:
    set_rule(alice)
    stop_purchases(company=alice.company, now=NOON)
    assert evaluate_auto_purchase(alice.company_id, now=NOON) is None
    resume_purchases(company=alice.company)
    assert evaluate_auto_purchase(alice.company_id, now=NOON) is not None


def test_what_was_wished_but_not_sent_is_not_charged_after_the_stop(alice: Member) -> None:
    purchase = create(alice, now=NOON)
    stop_purchases(now=NOON)
    assert advance_purchase(purchase.pk, now=NOON).status == Status.EXPIRED
    assert company_balance(alice.company) == 0


def test_what_was_sent_before_the_stop_is_settled(alice: Member) -> None:
    purchase = buy(alice, number=LATE, now=NOON)
    assert purchase.status == Status.PENDING
    stop_purchases(now=NOON)
    five_seconds_pass()
    assert advance_purchase(purchase.pk, now=NOON).status == Status.SUCCEEDED
    assert company_balance(alice.company) == 50


def test_the_reason_is_told_and_goes_with_the_stop(alice: Member) -> None:
    stop_purchases(company=alice.company, reason="Several cards were declined.", now=NOON)
    with pytest.raises(PurchasesStopped, match=r"Several cards were declined\."):
        require_purchases_on(alice.company, automatic=False)
    resume_purchases(company=alice.company)
    assert BillingProfile.objects.get().stopped_reason == ""


def test_resuming_the_installation_leaves_a_companys_own_stop(alice: Member) -> None:
    stop_purchases(now=NOON)
    stop_purchases(company=alice.company, now=NOON)
    resume_purchases()
    assert not are_purchases_on(alice.company, automatic=False)


def test_stopping_automatic_after_all_keeps_both(alice: Member) -> None:
    stop_purchases(now=NOON)
    stop_purchases(automatic_only=True, now=NOON + timedelta(hours=1))
    switch = BillingSwitch.objects.get()
    assert switch.purchases_stopped_at == NOON
    assert switch.automatic_stopped_at == NOON + timedelta(hours=1)


def test_since_when_is_kept_when_a_stop_is_repeated(alice: Member) -> None:
    for hours in (0, 1):
        at = NOON + timedelta(hours=hours)
        stop_purchases(now=at, reason=str(hours))
        stop_purchases(company=alice.company, now=at)
    assert BillingSwitch.objects.get().purchases_stopped_at == NOON
    assert BillingSwitch.objects.get().reason == "1"
    assert BillingProfile.objects.get().purchases_stopped_at == NOON


def test_the_commands_stop_and_resume(alice: Member) -> None:
    out = StringIO()
    call_command("stop_purchases", reason="Maintenance", stdout=out)
    assert not are_purchases_on(alice.company, automatic=False)
    call_command("resume_purchases", stdout=out)
    assert are_purchases_on(alice.company, automatic=True)
    call_command("stop_purchases", company=alice.company_id, automatic=True, stdout=out)
    assert are_purchases_on(alice.company, automatic=False)
    assert not are_purchases_on(alice.company, automatic=True)
    call_command("resume_purchases", company=alice.company_id, stdout=out)
    assert are_purchases_on(alice.company, automatic=True)
    verbs = AuditEntry.objects.filter(verb__endswith="purchases").values_list("verb", flat=True)
    assert list(verbs.order_by("pk")) == ["stop_purchases", "resume_purchases"]


@pytest.mark.parametrize("name", ["stop_purchases", "resume_purchases"])
def test_a_company_that_does_not_exist_stops_nobody(name: str, alice: Member) -> None:
    with pytest.raises(CommandError, match="There is no company 999999"):
        call_command(name, company=999_999)
    assert are_purchases_on(alice.company, automatic=True)


def test_the_pages_tell_administrators_calmly(alice: Member, client_of: ClientOf) -> None:
    stop_purchases(reason="We are moving to another bank.", now=NOON)
    browser = client_of(alice)
    for address in ("/buy/", "/settings/payment/limits/"):
        words = text_of(browser.get(address))
        assert "paused for now by the operator" in words
        assert "We are moving to another bank." in words


@pytest.fixture
def operator(client: Client) -> Client:
    user = User.objects.create_superuser("operator", "operator@example.com", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_operators_page_sets_the_switches(alice: Member, operator: Client) -> None:
    address = operator.get("/admin/billing/billingswitch/")["Location"]
    assert "Stop all purchases" in text_of(operator.get(address))
    operator.post(address, {"stops_automatic": "on", "reason": "Audit"})
    switch = BillingSwitch.objects.get()
    assert (switch.purchases_stopped_at, switch.reason) == (None, "Audit")
    assert switch.automatic_stopped_at is not None
    assert str(switch.changed_by) == "operator"
    operator.post(address, {"reason": "Audit"})
    assert are_purchases_on(alice.company, automatic=True)
    assert operator.get("/admin/billing/billingswitch/add/").status_code == 403


@pytest.mark.parametrize("table", ["company", "billingprofile"])
def test_the_operator_decides_about_companies(alice: Member, operator: Client, table: str) -> None:
    row = alice.company_id
    address = "/admin/members/company/"
    if table == "billingprofile":
        row = BillingProfile.objects.create(company=alice.company).pk
        address = "/admin/billing/billingprofile/"
        assert operator.get(f"{address}add/").status_code == 403
    for action in ("verify", "withdraw", "stop", "resume", "verify"):
        answer = operator.post(address, {"action": action, "_selected_action": row}, follow=True)
        assert "Acme: Done" in text_of(answer)
    assert BillingProfile.objects.get().is_verified
    assert are_purchases_on(alice.company, automatic=True)
    answer = operator.post(
        address, {"action": "accept_number", "_selected_action": row}, follow=True
    )
    assert "The company has given no VAT number of its country." in text_of(answer)
    users = AuditEntry.objects.filter(verb="verify_company").values_list(
        "user__username", flat=True
    )
    assert set(users) == {"operator"}


def test_the_operator_writes_rates_and_limits(operator: Client) -> None:
    rate = {"country": "FR", "rate": "21", "valid_from": "2027-01-01"}
    assert operator.post("/admin/billing/vatrate/add/", rate).status_code == 302
    assert "Two capital letters" in text_of(
        operator.post("/admin/billing/vatrate/add/", {**rate, "country": "fr"})
    )
    limit = {"way": "card", "currency": "EUR", "single_most": "10", "monthly_most": "20"}
    assert operator.post("/admin/billing/purchaselimit/add/", limit).status_code == 302


def test_there_is_one_row_of_switches() -> None:
    with pytest.raises(IntegrityError, match="billing_switch_one_row"), transaction.atomic():
        BillingSwitch.objects.create(id=2)
