"""Events of gateways: stored once, acknowledged at once, and only a hint to ask."""

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from billing.gateways.base import ChargeResult, ChargeStatus, News, NewsKind, SavedMethod, Way
from billing.inbox import MANY_FORGERIES, process_event, receive_event, retry_event, sweep_events
from billing.methods import keep_customer
from billing.models import GatewayEvent, PaymentIncident, Purchase
from billing.news import pack_news, unpack_news
from credit.accounts import company_balance
from credit.models import Transfer
from credit.verification import verify_ledger
from members.models import Member, User
from tests.billing.conftest import buy, create
from tests.billing.inbox_kit import (
    ADDRESS,
    deliver,
    key_of,
    kinds,
    paid_letter,
    start,
    status_of,
    the_event,
)
from tests.fakes.scripted import SIGNATURE, Letter, ScriptedGateway

pytestmark = pytest.mark.django_db
Status = Purchase.Status


def pay(gateway: ScriptedGateway, purchase: Purchase) -> Letter:
    """The payer pays on the gateway's page; the event about it."""
    assert gateway.answer(key_of(purchase), ChargeStatus.SUCCEEDED)
    return gateway.letters[-1]


def assert_nothing_credited(member: Member) -> None:
    assert not Transfer.objects.exists()
    assert company_balance(member.company) == 0


def test_an_event_is_stored_as_it_came_and_dealt_with_by_the_worker_alone(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = start(alice)
    letter = pay(scripted, purchase)
    asked = len(scripted.asked)
    assert deliver(letter) == 200
    event = the_event()
    assert event.body == letter.body.decode()
    assert event.headers == letter.headers
    assert len(scripted.asked) == asked
    assert status_of(purchase) == Status.REQUIRES_ACTION
    sweep_events()
    assert status_of(purchase) == Status.SUCCEEDED
    assert company_balance(alice.company) == 50
    event.refresh_from_db()
    assert event.processed_at
    assert event.purchase == purchase


def test_the_gateway_is_answered_without_a_session_and_in_few_queries(
    alice: Member, scripted: ScriptedGateway
) -> None:
    letter = pay(scripted, start(alice))
    with CaptureQueriesContext(connection) as first:
        assert deliver(letter) == 200
    # Two of them read, one writes, four are the savepoints of the test.
    assert len(first) == 7
    with CaptureQueriesContext(connection) as again:
        assert deliver(letter) == 200
    assert len(again) == 1
    answer = Client().post(
        ADDRESS, letter.body, content_type="application/json", headers=letter.headers
    )
    assert not answer.cookies


def test_ten_thousand_copies_are_one_event_and_one_credit(
    alice: Member, scripted: ScriptedGateway
) -> None:
    letter = pay(scripted, start(alice))
    assert {deliver(letter) for _ in range(10)} == {200}
    for _ in range(10_000):
        assert not receive_event(scripted, body=letter.body, headers=letter.headers)
    assert GatewayEvent.objects.count() == 1
    for _ in range(3):
        sweep_events()
    assert company_balance(alice.company) == 50


@pytest.mark.parametrize("order", range(6))
def test_any_order_and_number_of_events_ends_the_same(
    alice: Member, scripted: ScriptedGateway, order: int
) -> None:
    purchase = start(alice)
    letters = [
        scripted.letters[-1],
        scripted.write(key=key_of(purchase), status="pending"),
        scripted.write(key=key_of(purchase), status="declined"),
        pay(scripted, purchase),
        scripted.write(key=key_of(purchase), kind="other", text="customer.updated"),
        *(
            scripted.write(
                kind="refund",
                key=key_of(purchase),
                amount=amount,
                currency="EUR",
                occurred_at=f"2026-11-10T12:0{minute}:00+00:00",
            )
            for minute, amount in enumerate(("10.00", "25.00"))
        ),
        *(
            scripted.write(
                kind="dispute",
                key=key_of(purchase),
                amount="20.00",
                currency="EUR",
                dispute_state=state,
                occurred_at=f"2026-11-11T12:0{minute}:00+00:00",
            )
            for minute, state in enumerate(("open", "won"))
        ),
    ]
    chance = random.Random(order)
    sent = letters * 2
    chance.shuffle(sent)
    for letter in sent:
        assert deliver(letter) == 200
        if chance.random() < 0.5:
            sweep_events()
    sweep_events()
    purchase.refresh_from_db()
    assert purchase.status == Status.SUCCEEDED
    assert purchase.refunded_amount == 25
    assert (purchase.disputed_amount, purchase.dispute_state) == (20, "won")
    assert company_balance(alice.company) == 50
    assert Transfer.objects.count() == 1
    assert sorted(kinds()) == ["dispute", "dispute", "refund", "refund"]
    assert verify_ledger() == []


def test_the_gateways_present_word_counts_and_not_the_events(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = start(alice)
    deliver(paid_letter(scripted, purchase))
    sweep_events()
    assert status_of(purchase) == Status.REQUIRES_ACTION
    assert_nothing_credited(alice)
    assert the_event().processed_at
    assert Purchase.objects.get().next_check_at


def test_while_the_gateway_answers_nothing_its_signed_word_is_taken(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = start(alice)
    letter = pay(scripted, purchase)
    scripted.is_down = True
    deliver(letter)
    sweep_events()
    assert status_of(purchase) == Status.SUCCEEDED
    assert company_balance(alice.company) == 50


# --- bad input ----------------------------------------------------------------------------------


def test_a_forged_signature_is_refused_and_nothing_is_stored(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = start(alice)
    letter = paid_letter(scripted, purchase)
    forged = {SIGNATURE: letter.headers[SIGNATURE][:-1] + "x"}
    assert deliver(Letter(letter.body, forged)) == 400
    assert deliver(Letter(letter.body, {})) == 400
    assert deliver(Letter(letter.body, {SIGNATURE: "é,é"})) == 400
    assert deliver(Letter(letter.body.replace(b"EUR", b"USD"), letter.headers)) == 400
    assert not GatewayEvent.objects.exists()
    assert not PaymentIncident.objects.exists()


def test_a_signature_replayed_later_is_refused(alice: Member, scripted: ScriptedGateway) -> None:
    letter = pay(scripted, start(alice))
    scripted.now = datetime.now(UTC) + timedelta(minutes=6)
    assert deliver(letter) == 400
    assert not GatewayEvent.objects.exists()


def test_the_signature_of_another_event_does_not_fit(
    alice: Member, scripted: ScriptedGateway
) -> None:
    one, other = (paid_letter(scripted, start(alice)) for _ in range(2))
    assert deliver(Letter(one.body, other.headers)) == 400


def test_many_forgeries_a_day_are_one_incident(alice: Member, scripted: ScriptedGateway) -> None:
    for _ in range(MANY_FORGERIES + 5):
        assert deliver(Letter(b"{}", {})) == 400
    assert kinds() == ["bad_signatures"]


def test_what_is_no_json_is_refused(scripted: ScriptedGateway) -> None:
    for body in (b"", b"nonsense", b"\xff\xfe", b"[]"):
        assert deliver(scripted.sign(body)) == 400
    assert not GatewayEvent.objects.exists()


def test_a_huge_body_is_refused_before_it_is_read(
    scripted: ScriptedGateway, settings: Settings
) -> None:
    settings.MAX_EVENT_BYTES = 1_000
    assert deliver(scripted.write(text="x" * 2_000)) == 413
    assert not GatewayEvent.objects.exists()


def test_only_gateways_in_use_have_an_address(scripted: ScriptedGateway) -> None:
    letter = scripted.write()
    assert deliver(letter, address="/payments/nobody/events/") == 404
    assert deliver(letter, address="/payments/sandbox/events/") == 400
    assert Client().get(ADDRESS).status_code == 405


def test_an_event_for_an_unknown_purchase_credits_nothing_and_is_one_incident(
    alice: Member, scripted: ScriptedGateway
) -> None:
    unsent = create(alice)
    words = (f"purchase:{10**9}", "purchase:x", f"purchase:{10**30}", key_of(unsent), "")
    for key in words:
        for _ in range(2):
            letter = scripted.write(
                key=key, reference="ch_9", status="succeeded", amount="50.00", currency="EUR"
            )
            assert deliver(letter) == 200
    sweep_events()
    assert kinds() == ["unknown_purchase"] * len(words)
    assert_nothing_credited(alice)
    assert not GatewayEvent.objects.filter(processed_at=None).exists()


def test_a_purchase_at_another_gateway_is_unknown_to_this_one(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = buy(alice)
    deliver(paid_letter(scripted, purchase))
    sweep_events()
    assert kinds() == ["unknown_purchase"]
    assert company_balance(alice.company) == 50


@pytest.mark.parametrize("amount", ["0.01", "49.99", "500000000000.00", "-50.00"])
def test_another_amount_credits_nothing_and_is_an_incident(
    alice: Member, scripted: ScriptedGateway, amount: str
) -> None:
    purchase = start(alice)
    deliver(paid_letter(scripted, purchase, amount=amount))
    sweep_events()
    assert kinds() == ["amount_differs"]
    assert status_of(purchase) == Status.REQUIRES_ACTION
    assert_nothing_credited(alice)


def test_another_currency_credits_nothing_and_is_an_incident(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = start(alice)
    deliver(paid_letter(scripted, purchase, currency="USD"))
    sweep_events()
    assert kinds() == ["currency_differs"]
    assert_nothing_credited(alice)


def test_the_payment_of_another_companys_customer_credits_nobody(
    alice: Member, charlie: Member, scripted: ScriptedGateway
) -> None:
    keep_customer(charlie.company, "scripted", "cus_charlie")
    purchase = start(alice)
    deliver(paid_letter(scripted, purchase, customer="cus_charlie"))
    sweep_events()
    assert kinds() == ["other_company"]
    assert_nothing_credited(alice)
    assert company_balance(charlie.company) == 0


def test_money_for_an_ended_purchase_is_an_incident_and_no_credit(
    alice: Member, scripted: ScriptedGateway
) -> None:
    purchase = start(alice)
    scripted.answer(key_of(purchase), ChargeStatus.DECLINED)
    deliver(scripted.letters[-1])
    sweep_events()
    assert status_of(purchase) == Status.DECLINED
    scripted.charges[key_of(purchase)].status = ChargeStatus.SUCCEEDED
    for _ in range(2):
        deliver(paid_letter(scripted, purchase))
    sweep_events()
    assert kinds() == ["paid_after_end"]
    assert status_of(purchase) == Status.DECLINED
    assert_nothing_credited(alice)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"amount": "50000.00", "currency": "EUR"}, "amount_differs"),
        ({"amount": "-1.00", "currency": "EUR"}, "amount_differs"),
        ({"amount": "5.00", "currency": "GBP"}, "currency_differs"),
    ],
)
def test_an_impossible_refund_is_an_incident_and_not_written_down(
    alice: Member, scripted: ScriptedGateway, told: dict[str, str], kind: str
) -> None:
    purchase = start(alice)
    pay(scripted, purchase)
    deliver(scripted.write(kind="refund", key=key_of(purchase), **told))
    sweep_events()
    assert kinds() == [kind]
    purchase.refresh_from_db()
    assert purchase.refunded_amount == 0


def test_refunds_and_disputes_change_no_credit(alice: Member, scripted: ScriptedGateway) -> None:
    purchase = start(alice)
    deliver(pay(scripted, purchase))
    words = {"key": key_of(purchase), "amount": f"{purchase.total:.2f}", "currency": "EUR"}
    deliver(scripted.write(kind="refund", **words))
    deliver(scripted.write(kind="dispute", dispute_state="lost", **words))
    sweep_events()
    purchase.refresh_from_db()
    assert purchase.status == Status.SUCCEEDED
    assert (purchase.refunded_amount, purchase.dispute_state) == (purchase.total, "lost")
    assert kinds() == ["refund", "dispute"]
    assert company_balance(alice.company) == 50


# --- what cannot be dealt with ------------------------------------------------------------------


def test_an_event_that_fails_is_tried_again_ever_later_and_is_at_last_an_incident(
    alice: Member, scripted: ScriptedGateway, settings: Settings
) -> None:
    purchase = start(alice)
    deliver(pay(scripted, purchase))
    settings.GATEWAYS = ["sandbox"]
    event, tries = the_event(), 0
    now = event.received_at
    while event.next_try_at is not None:
        assert tries < 20
        assert not process_event(event.pk, now=event.next_try_at - timedelta(seconds=1))
        now = event.next_try_at
        assert sweep_events(now=now) == 1
        event.refresh_from_db()
        tries += 1
    assert tries == 8
    assert "GatewayNotConfigured" in event.problem
    assert kinds() == ["event_failed"]
    assert timedelta(hours=20) < now - event.received_at < timedelta(days=3)
    settings.GATEWAYS = ["sandbox", "scripted"]
    assert retry_event(event, now=now)
    assert process_event(event.pk, now=now)
    assert company_balance(alice.company) == 50


def test_a_worker_that_died_is_followed_by_another(
    alice: Member, scripted: ScriptedGateway
) -> None:
    deliver(pay(scripted, start(alice)))
    event = the_event()
    now = event.received_at
    GatewayEvent.objects.update(tries_count=1, next_try_at=now + timedelta(minutes=1))
    assert sweep_events(now=now) == 0
    assert sweep_events(now=now + timedelta(minutes=1)) == 1
    assert company_balance(alice.company) == 50


def test_one_bad_event_does_not_hold_up_the_next(alice: Member, scripted: ScriptedGateway) -> None:
    purchase = start(alice)
    deliver(scripted.write(key="purchase:1x"))
    GatewayEvent.objects.update(news={"kind": "nonsense"})
    deliver(pay(scripted, purchase))
    sweep_events()
    assert status_of(purchase) == Status.SUCCEEDED
    assert GatewayEvent.objects.filter(processed_at=None).count() == 1


def test_the_operator_reads_events_and_tries_one_again(
    client: Client, alice: Member, scripted: ScriptedGateway
) -> None:
    deliver(pay(scripted, start(alice)))
    GatewayEvent.objects.update(next_try_at=None, tries_count=8)
    user = User.objects.create_user("operator", "operator@example.com", "x")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.refresh_from_db()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    address = "/admin/billing/gatewayevent/"
    assert client.get(address).status_code == 200
    assert client.get(f"{address}{the_event().pk}/change/").status_code == 200
    client.post(address, {"action": "try_again", "_selected_action": [the_event().pk]})
    assert sweep_events() == 1
    assert company_balance(alice.company) == 50


def test_news_read_back_equals_what_was_stored() -> None:
    news = News(
        event_id="evt_1",
        kind=NewsKind.CHARGE,
        text="charge.succeeded",
        amount=Decimal("50.00"),
        currency="EUR",
        occurred_at=datetime(2026, 11, 10, 12, tzinfo=UTC),
        result=ChargeResult(
            status=ChargeStatus.SUCCEEDED,
            amount=Decimal("50.00"),
            expires_at=datetime(2026, 11, 11, tzinfo=UTC),
            saved=SavedMethod(
                kind=Way.CARD,
                reference="pm_1",
                fingerprint="f",
                label="•••• 4242",
                expires_on=datetime(2027, 1, 31, tzinfo=UTC).date(),
            ),
        ),
    )
    assert unpack_news(json.loads(json.dumps(pack_news(news)))) == news
    bare = News(event_id="evt_2", kind=NewsKind.OTHER, text="ping")
    assert unpack_news(pack_news(bare)) == bare
