"""Members ask for credit; administrators answer, once."""

import threading
from decimal import Decimal

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client

from credit.accounts import company_balance
from credit.credit_requests import (
    approve_request,
    decline_request,
    request_credit,
    withdraw_request,
)
from credit.errors import (
    CreditError,
    InvalidAmount,
    NotEnoughCredit,
    RequestAlreadyOpen,
    RequestAnswered,
)
from credit.models import CreditRequest, Transfer
from members.actors import Actor
from members.models import AuditEntry, Member, Notice
from members.tasks import send_pending_notices
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Api, refused
from tests.api.conftest import api as api  # noqa: PLC0414
from tests.conftest import ClientOf, credit_company, make_member
from tests.credit_pages.conftest import (
    BAD_AMOUNTS,
    balance_of,
    post_call,
    query_count,
    words_of,
)


def ask(member: Member, amount: str = "20", reason: str = "Trip to Oslo") -> CreditRequest:
    return request_credit(actor=Actor.of_member(member), amount=Decimal(amount), reason=reason)


def state_of(wish: CreditRequest) -> str:
    return CreditRequest.objects.get(pk=wish.pk).status


def test_a_member_asks_and_every_administrator_is_mailed_a_link(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    answer = client_of(bob).post("/me/request/", {"amount": "20,50", "reason": "Trip\nto Oslo"})
    assert (answer.status_code, answer["Location"]) == (302, "/me/")
    wish = CreditRequest.objects.get()
    assert (wish.member, wish.amount, wish.reason) == (bob, Decimal("20.5"), "Trip to Oslo")
    assert balance_of(bob) == 0
    send_pending_notices()
    assert [letter.to for letter in mail.outbox] == [["alice@example.com"]]
    assert mail.outbox[0].subject == "Bob asks for €20.50 of credit"
    body = str(mail.outbox[0].body)
    assert f"/requests/#request-{wish.pk}" in body
    assert "Trip to Oslo" in body
    assert AuditEntry.objects.filter(verb="request_credit", member=bob).count() == 1


@pytest.mark.parametrize(("typed", "sentence"), BAD_AMOUNTS)
def test_a_bad_amount_is_refused_and_nobody_is_told(
    client_of: ClientOf, rich: Member, bob: Member, typed: str, sentence: str
) -> None:
    answer = client_of(bob).post("/me/request/", {"amount": typed, "reason": "x"})
    assert answer.status_code == 422
    assert sentence in words_of(answer)
    assert not CreditRequest.objects.exists()
    assert not Notice.objects.exists()


def test_a_request_needs_a_reason_of_at_most_500_letters(rich: Member, bob: Member) -> None:
    for reason in ("", "  \n", "x" * 501):
        with pytest.raises(CreditError) as refusal:
            ask(bob, reason=reason)
        assert refusal.value.field == "reason"
    with pytest.raises(InvalidAmount):
        ask(bob, amount="0")
    assert ask(bob, reason="x" * 500).is_open


def test_a_member_has_at_most_one_open_request(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    ask(bob)
    with pytest.raises(RequestAlreadyOpen):
        ask(bob, "5")
    page = client_of(bob)
    answer = page.post("/me/request/", {"amount": "5", "reason": "more"}, follow=True)
    assert "You have already asked for credit." in words_of(answer)
    assert "Your request waits for an answer" in words_of(answer)
    assert CreditRequest.objects.get().amount == 20
    with pytest.raises(IntegrityError, match="credit_request_open_once"), transaction.atomic():
        CreditRequest.objects.create(
            company=bob.company, member=bob, amount=1, reason="x", created_at=utc_now()
        )


def test_opening_the_administrators_page_changes_nothing_and_needs_a_sign_in(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    wish = ask(bob)
    post_call_of = balance_of(bob)
    assert Client().get("/requests/")["Location"].startswith("/accounts/login/?next=/requests/")
    desk = client_of(rich)
    for address in ("/requests/", f"/requests/{wish.pk}/decline/"):
        assert desk.get(address).status_code == 200
    assert desk.get(f"/requests/{wish.pk}/approve/").status_code == 405
    assert state_of(wish) == "open"
    assert balance_of(bob) == post_call_of


def test_the_page_says_who_asks_how_much_and_why_and_what_was_used(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    approve_request(actor=Actor.of_member(rich), request_id=ask(bob, "30").pk)
    post_call(bob, "7.25")
    ask(bob, "20", "Trip to <Oslo>")
    words = words_of(client_of(rich).get("/requests/"))
    assert "Bob" in words
    assert "€20.00 Trip to <Oslo> Balance €22.75 Used this month €7.25" in words
    assert "Received this month €30.00" in words
    assert "€30.00 by Alice" in words


def test_one_click_allocates_and_the_member_is_told(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    wish = ask(bob)
    desk = client_of(rich)
    answer = desk.post(f"/requests/{wish.pk}/approve/", {"amount": "20"}, follow=True)
    assert answer.redirect_chain == [("/requests/", 302)]
    assert "€20.00 added to Bob's account. The company's balance is now €180.00." in words_of(
        answer
    )
    assert (balance_of(bob), company_balance(rich.company)) == (20, 180)
    mail.outbox.clear()
    Notice.objects.filter(kind="credit_requested").delete()
    send_pending_notices()
    assert [letter.to for letter in mail.outbox] == [["bob@example.com"]]
    assert mail.outbox[0].subject == "€20.00 of credit added to your account"
    again = desk.post(f"/requests/{wish.pk}/approve/", {"amount": "20"}, follow=True)
    assert "Alice has already approved this request." in words_of(again)
    assert balance_of(bob) == 20


def test_the_amount_can_be_changed_and_is_checked(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    wish = ask(bob)
    desk = client_of(rich)
    for typed, sentence in (("1.500", "Do you mean"), ("200.01", "credit is too low"), ("0", "0")):
        answer = desk.post(f"/requests/{wish.pk}/approve/", {"amount": typed})
        assert answer.status_code == 422
        assert sentence in words_of(answer)
        assert f'value="{typed}"' in answer.content.decode()
        assert state_of(wish) == "open"
    desk.post(f"/requests/{wish.pk}/approve/", {"amount": "12,5"})
    assert balance_of(bob) == Decimal("12.5")
    done = CreditRequest.objects.get()
    assert (done.status, done.granted, done.answered_by) == ("approved", Decimal("12.5"), rich)


def test_a_refused_approval_leaves_the_request_open_and_can_be_repeated(
    alice: Member, bob: Member
) -> None:
    wish = ask(bob)
    actor = Actor.of_member(alice)
    with pytest.raises(NotEnoughCredit):
        approve_request(actor=actor, request_id=wish.pk)
    assert state_of(wish) == "open"
    assert not Transfer.objects.exists()
    credit_company(alice.company, "20")
    approve_request(actor=actor, request_id=wish.pk)
    assert balance_of(bob) == 20


def test_declining_moves_nothing_and_carries_the_word(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    wish = ask(bob)
    Notice.objects.all().delete()
    desk = client_of(rich)
    desk.post(f"/requests/{wish.pk}/decline/", {"answer": "Next month, please."})
    assert (state_of(wish), balance_of(bob)) == ("declined", 0)
    send_pending_notices()
    assert mail.outbox[0].to == ["bob@example.com"]
    assert "Alice declined your request for €20.00." in str(mail.outbox[0].body)
    assert "Next month, please." in str(mail.outbox[0].body)
    assert "Next month, please." in words_of(client_of(bob).get("/me/request/"))
    answer = desk.post(f"/requests/{wish.pk}/approve/", {"amount": "20"}, follow=True)
    assert "Alice has already declined this request." in words_of(answer)
    assert balance_of(bob) == 0


def test_a_member_withdraws_the_own_request_only(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    wish = ask(bob)
    dora = make_member(rich.company, "dora")
    assert client_of(dora).post(f"/me/request/{wish.pk}/withdraw/").status_code == 404
    assert state_of(wish) == "open"
    client_of(bob).post(f"/me/request/{wish.pk}/withdraw/")
    assert state_of(wish) == "withdrawn"
    with pytest.raises(RequestAnswered):
        approve_request(actor=Actor.of_member(rich), request_id=wish.pk)
    assert ask(bob, "5").is_open


def test_members_and_finance_answer_nothing(
    client_of: ClientOf, rich: Member, bob: Member, fiona: Member
) -> None:
    wish = ask(bob)
    for somebody in (bob, fiona):
        client = client_of(somebody)
        assert client.get("/requests/").status_code == 403
        for verb in ("approve", "decline"):
            answer = client.post(f"/requests/{wish.pk}/{verb}/", {"amount": "20"})
            assert answer.status_code == 403
        with pytest.raises(NotAllowed):
            approve_request(actor=Actor.of_member(somebody), request_id=wish.pk)
    assert state_of(wish) == "open"


def test_another_companys_request_is_not_found(
    client_of: ClientOf, rich: Member, bob: Member, charlie: Member
) -> None:
    wish = ask(bob)
    client = client_of(charlie)
    for verb in ("approve", "decline"):
        assert client.post(f"/requests/{wish.pk}/{verb}/", {"amount": "1"}).status_code == 404
    actor = Actor.of_member(charlie)
    with pytest.raises(NotFound):
        decline_request(actor=actor, request_id=wish.pk)
    with pytest.raises(NotFound):
        withdraw_request(actor=actor, request_id=wish.pk)
    assert "Bob" not in words_of(client.get("/requests/"))
    assert state_of(wish) == "open"


def test_a_suspended_member_cannot_ask(client_of: ClientOf, rich: Member, bob: Member) -> None:
    bob.status = Member.Status.SUSPENDED
    bob.save(update_fields=["status"])
    client = client_of(bob)
    assert "Your place is suspended" in words_of(client.get("/me/request/"))
    assert client.post("/me/request/", {"amount": "5", "reason": "x"}).status_code == 403


def test_the_dashboard_says_that_somebody_asks(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    desk = client_of(rich)
    assert "asks for credit" not in words_of(desk.get("/"))
    ask(bob)
    page = desk.get("/")
    assert "1 member asks for credit" in words_of(page)
    assert 'href="/requests/"' in page.content.decode()


def test_the_page_takes_the_same_queries_for_one_and_for_ten(
    client_of: ClientOf, rich: Member, bob: Member
) -> None:
    desk = client_of(rich)
    ask(bob)
    few = query_count(desk, "/requests/")
    for number in range(9):
        ask(make_member(rich.company, f"member{number}"))
    assert query_count(desk, "/requests/") == few


@pytest.mark.django_db(transaction=True)
def test_two_administrators_at_once_allocate_once(rich: Member, bob: Member) -> None:
    dora = make_member(rich.company, "dora", role="administrator")
    wish = ask(bob)
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def click(who: Member) -> None:
        try:
            start.wait()
            approve_request(actor=Actor.of_member(who), request_id=wish.pk)
            outcomes.append("approved")
        except RequestAnswered:
            outcomes.append("answered")
        finally:
            connection.close()

    clicks = [threading.Thread(target=click, args=((rich, dora)[n % 2],)) for n in range(8)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert sorted(outcomes) == ["answered"] * 7 + ["approved"]
    assert balance_of(bob) == 20
    assert Transfer.objects.filter(kind="allocation").count() == 1
    assert AuditEntry.objects.filter(verb="approve_request").count() == 1


def test_programs_ask_and_answer(api: Api, rich: Member, bob: Member, fiona: Member) -> None:
    own = api(bob)
    made = own.post("me/credit-requests", {"amount": "20", "reason": "Trip"})
    assert made.status_code == 201, made.content
    assert made.json()["amount"] == "20.0000"
    refused(
        own.post("me/credit-requests", {"amount": "1", "reason": "x"}), 409, "request_already_open"
    )
    assert [row["status"] for row in own.get("me/credit-requests").json()["results"]] == ["open"]
    path = f"credit-requests/{made.json()['id']}"
    for somebody in (bob, fiona):
        refused(api(somebody).get("credit-requests"), 403, "not_allowed")
        refused(api(somebody).post(f"{path}/approve", {}, key="k"), 403, "not_allowed")
    desk = api(rich)
    assert len(desk.get("credit-requests", status="open").json()["results"]) == 1
    refused(desk.get("credit-requests", status="odd"), 400, "invalid")
    refused(desk.post(f"{path}/approve", {}), 400, "idempotency_key_required")
    first = desk.post(f"{path}/approve", {"amount": "15"}, key="k")
    assert (first.status_code, first.json()["granted"]) == (200, "15.0000")
    assert desk.post(f"{path}/approve", {"amount": "15"}, key="k").json() == first.json()
    refused(desk.post(f"{path}/approve", {"amount": "16"}, key="k"), 409, "idempotency_conflict")
    problem = refused(desk.post(f"{path}/approve", {}, key="other"), 409, "request_answered")
    assert problem["request_status"] == "approved"
    refused(desk.post(f"{path}/decline", {}), 409, "request_answered")
    assert balance_of(bob) == 15


def test_programs_withdraw_and_decline(
    api: Api, rich: Member, bob: Member, charlie: Member
) -> None:
    own = api(bob)
    pk = own.post("me/credit-requests", {"amount": "20", "reason": "Trip"}).json()["id"]
    refused(api(charlie).post(f"me/credit-requests/{pk}/withdraw"), 404, "not_found")
    refused(api(charlie).post(f"credit-requests/{pk}/decline", {}), 404, "not_found")
    assert own.post(f"me/credit-requests/{pk}/withdraw").json()["status"] == "withdrawn"
    pk = own.post("me/credit-requests", {"amount": "20", "reason": "Trip"}).json()["id"]
    done = api(rich).post(f"credit-requests/{pk}/decline", {"answer": "No."}).json()
    assert (done["status"], done["answer"], done["granted"]) == ("declined", "No.", None)
