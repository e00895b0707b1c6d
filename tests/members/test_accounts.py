"""Signing up, proving an address or number, signing in, a forgotten password."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client

from members.models import Member, User
from skypemgr.lib.outbox import Message
from tests.conftest import PASSWORD, make_user
from tests.members.conftest import code_in, path_in

Outbox = Callable[[], list[Message]]
WORD = "a long enough word"


def sign_up(client: Client, contact: str, **more: str) -> str:
    """Where signing up leads."""
    answer = client.post(
        "/accounts/signup/",
        {"name": "Dora Petit", "contact": contact, "username": "", "password1": WORD, **more},
    )
    assert answer.status_code == 302, answer.context["form"].errors
    return str(answer["Location"])


def sign_in(client: Client, login: str, password: str = WORD) -> str:
    answer = client.post("/accounts/login/", {"login": login, "password": password})
    return str(answer.headers.get("Location", answer.status_code))


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_signing_up_by_mail_asks_for_the_link_and_then_for_the_company(
    db: None, outbox: Outbox
) -> None:
    client = Client()
    assert sign_up(client, "Dora@Example.com", username="Dora") == "/accounts/confirm-email/"
    assert not is_signed_in(client)
    user = User.objects.get()
    assert (user.email, user.username, user.name) == ("dora@example.com", "dora", "Dora Petit")
    (mail,) = outbox()
    assert mail.to == ["dora@example.com"]
    path = path_in(mail, "/accounts/confirm-email/")
    assert b"Confirm" in client.get(path).content
    assert client.post(path)["Location"] == "/company/new/"
    assert is_signed_in(client)


def test_the_name_of_who_signs_up_stands_on_one_line(db: None) -> None:
    sign_up(Client(), "dora@example.com", name="Dora\r\nBcc: x@example.com")
    assert User.objects.get().name == "Dora Bcc: x@example.com"


def test_signing_up_by_phone_asks_for_the_code(db: None, outbox: Outbox) -> None:
    client = Client(headers={"accept-language": "fr-FR"})
    assert sign_up(client, "06 12 34 56 78") == "/accounts/phone/verify/"
    (text,) = outbox()
    assert (text.kind, text.to) == ("sms", ["+33612345678"])
    wrong = client.post("/accounts/phone/verify/", {"code": "000000"})
    assert (wrong.status_code, is_signed_in(client)) == (200, False)
    right = client.post("/accounts/phone/verify/", {"code": code_in(text)})
    assert right["Location"] == "/company/new/"
    user = User.objects.get()
    assert (str(user.phone), user.phone_verified, user.username) == ("+33612345678", True, None)


def test_every_sign_in_name_opens_the_account(alice: Member) -> None:
    User.objects.filter(pk=alice.user.pk).update(phone="+33612345678", phone_verified=True)
    for login in ("alice", "ALICE", " alice@example.com", "Alice@Example.COM", "+33 6 12 34 56 78"):
        client = Client()
        assert sign_in(client, login, PASSWORD) == "/"
        assert is_signed_in(client)


@pytest.mark.parametrize("login", ["alice", "alice@example.com", "nobody", "+33612345678", "é'\""])
def test_a_refused_sign_in_says_the_same_whoever_it_is(alice: Member, login: str) -> None:
    answer = Client().post("/accounts/login/", {"login": login, "password": "wrong"})
    assert answer.context["form"].non_field_errors() == [
        "These details are not right. Check what you typed, then try again."
    ]


def test_signing_in_by_phone_is_limited_by_number(alice: Member, bob: Member) -> None:
    User.objects.filter(pk=alice.user.pk).update(phone="+33612345678", phone_verified=True)
    User.objects.filter(pk=bob.user.pk).update(phone="+33612345679", phone_verified=True)
    for _attempt in range(6):
        Client().post("/accounts/login/", {"login": "+33612345678", "password": "wrong"})
    client = Client()
    assert sign_in(client, "+33612345678", PASSWORD) == "200"
    assert sign_in(client, "+33612345679", PASSWORD) == "/me/"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"contact": ""}, "contact"),
        ({"contact": "", "username": "dora"}, "contact"),
        ({"contact": "dora"}, "contact"),
        ({"contact": "dora@"}, "contact"),
        ({"contact": "12"}, "contact"),
        ({"username": "1x"}, "username"),
        ({"username": "alice"}, "username"),
        ({"username": "Alice"}, "username"),
        ({"username": "a b c"}, "username"),
        ({"password1": "short"}, "password1"),
        ({"password1": "password123"}, "password1"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_sign_up_is_refused_with_a_sentence(
    alice: Member, outbox: Outbox, fields: dict[str, str], field: str
) -> None:
    given = {"name": "Dora", "contact": "dora@example.com", "username": "", "password1": WORD}
    answer = Client().post("/accounts/signup/", {**given, **fields})
    assert answer.context["form"].errors[field]
    assert User.objects.count() == 1
    assert outbox() == []


def test_signing_up_with_a_known_address_looks_the_same_and_tells_its_owner(
    alice: Member, outbox: Outbox
) -> None:
    client = Client()
    assert sign_up(client, "alice@example.com") == "/accounts/confirm-email/"
    assert User.objects.count() == 1
    (mail,) = outbox()
    assert mail.to == ["alice@example.com"]
    assert "already" in mail.subject
    assert not is_signed_in(client)


def test_signing_up_with_a_known_number_looks_the_same_and_tells_its_owner(
    alice: Member, outbox: Outbox
) -> None:
    User.objects.filter(pk=alice.user.pk).update(phone="+33612345678", phone_verified=True)
    client = Client()
    assert sign_up(client, "+33612345678") == "/accounts/phone/verify/"
    other = Client()
    sign_up(other, "+33612345679")
    pages = [browser.get("/accounts/phone/verify/").content.decode() for browser in (client, other)]
    shown = [re.sub(r"\+336\d+|[A-Za-z0-9]{64}", "…", page) for page in pages]
    assert shown[0] == shown[1]
    texts = {text.to[0]: text.text for text in outbox()}
    assert "already" in texts["+33612345678"]
    assert User.objects.count() == 2


def test_a_number_that_was_never_proven_can_be_proven_at_sign_in(db: None, outbox: Outbox) -> None:
    sign_up(Client(), "+33612345678")
    cache.clear()
    client = Client()
    assert sign_in(client, "+33612345678") == "/accounts/phone/verify/"
    answer = client.post("/accounts/phone/verify/", {"code": code_in(outbox()[0])})
    assert answer["Location"] == "/company/new/"


def test_the_link_can_be_sent_again_after_a_minute(db: None, outbox: Outbox) -> None:
    client = Client()
    with time_machine.travel("2026-03-01T10:00:00Z", tick=False) as clock:
        sign_up(client, "dora@example.com")
        page = client.get("/accounts/confirm-email/").content.decode()
        assert 'data-countdown="60"' in page
        client.post("/accounts/activation/resend/")
        assert len(outbox()) == 1
        clock.shift(timedelta(seconds=61))
        client.post("/accounts/activation/resend/")
        assert len(outbox()) == 2
    assert Client().post("/accounts/activation/resend/")["Location"] == "/accounts/login/"


def test_the_code_can_be_sent_again(db: None, outbox: Outbox) -> None:
    client = Client()
    with time_machine.travel("2026-03-01T10:00:00Z", tick=False) as clock:
        sign_up(client, "+33612345678")
        assert 'data-countdown="30"' in client.get("/accounts/phone/verify/").content.decode()
        clock.shift(timedelta(seconds=31))
        client.post("/accounts/phone/verify/", {"action": "resend"})
        new, old = (code_in(text) for text in outbox())
        if new != old:
            assert client.post("/accounts/phone/verify/", {"code": old}).status_code == 200
        assert client.post("/accounts/phone/verify/", {"code": new}).status_code == 302


def test_a_link_opened_in_another_browser_proves_the_address_but_signs_nobody_in(
    db: None, outbox: Outbox
) -> None:
    sign_up(Client(), "dora@example.com")
    other = Client()
    answer = other.post(path_in(outbox()[0], "/accounts/confirm-email/"))
    assert answer["Location"] == "/accounts/login/"
    assert not is_signed_in(other)
    assert sign_in(other, "dora@example.com") == "/company/new/"


def test_an_old_or_forged_link_says_so(db: None, outbox: Outbox) -> None:
    page = Client().get("/accounts/confirm-email/Mw:abc:def/").content.decode()
    assert "This link does not work" in page


def test_an_unproven_address_cannot_sign_in(db: None, outbox: Outbox) -> None:
    sign_up(Client(), "dora@example.com")
    client = Client()
    assert sign_in(client, "dora@example.com") == "/accounts/confirm-email/"
    assert not is_signed_in(client)


def forget(client: Client, name: str) -> str:
    answer = client.post("/accounts/password/reset/", {"email": name})
    return str(answer.headers.get("Location", answer.status_code))


def choose_new(client: Client, code: str) -> str:
    confirmed = client.post("/accounts/password/reset/confirm/", {"code": code})
    assert confirmed["Location"] == "/accounts/password/reset/complete/"
    answer = client.post("/accounts/password/reset/complete/", {"password1": WORD})
    return str(answer["Location"])


@pytest.mark.parametrize("name", ["alice@example.com", "ALICE"])
def test_a_forgotten_password_is_replaced_by_mail(alice: Member, outbox: Outbox, name: str) -> None:
    client = Client()
    assert forget(client, name) == "/accounts/password/reset/confirm/"
    (mail,) = outbox()
    assert mail.to == ["alice@example.com"]
    assert choose_new(client, code_in(mail)) == "/"
    assert is_signed_in(client)
    assert sign_in(Client(), "alice") == "/"


def test_a_forgotten_password_is_replaced_by_text_message(bob: Member, outbox: Outbox) -> None:
    EmailAddress.objects.filter(user=bob.user).delete()
    User.objects.filter(pk=bob.user.pk).update(email="", phone="+33612345678", phone_verified=True)
    for name in ("+33 6 12 34 56 78", "bob"):
        client = Client()
        forget(client, name)
        text = outbox()[0]
        assert (text.kind, text.to) == ("sms", ["+33612345678"])
        assert choose_new(client, code_in(text)) == "/me/"
    assert EmailAddress.objects.filter(user=bob.user).count() == 0


@pytest.mark.parametrize("name", ["nobody@example.com", "nobody", "+33612345670"])
def test_a_forgotten_password_of_nobody_looks_the_same(
    alice: Member, outbox: Outbox, name: str
) -> None:
    known, unknown = Client(), Client()
    assert forget(unknown, name) == forget(known, "alice")
    pages = [
        client.get("/accounts/password/reset/confirm/").content.decode()
        for client in (known, unknown)
    ]
    assert name not in pages[1]
    assert "alice" not in pages[0]
    refused = unknown.post("/accounts/password/reset/confirm/", {"code": ""})
    assert refused.status_code == 200
    refused = unknown.post("/accounts/password/reset/confirm/", {"code": "000000"})
    assert refused.status_code == 200


def test_three_wrong_codes_end_the_attempt(alice: Member, outbox: Outbox) -> None:
    client = Client()
    forget(client, "alice")
    code = code_in(outbox()[0])
    wrong = "000000" if code != "000000" else "111111"
    for _attempt in range(3):
        client.post("/accounts/password/reset/confirm/", {"code": wrong})
    answer = client.post("/accounts/password/reset/confirm/", {"code": code})
    assert answer["Location"] == "/accounts/login/"


def test_an_operator_made_on_the_server_signs_in_to_the_desk(db: None, outbox: Outbox) -> None:
    User.objects.create_superuser("root", "root@example.com", PASSWORD)
    client = Client()
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert sign_in(client, "root", PASSWORD) == "/admin/"
    for page in ("", "members/user/", "members/company/", "members/member/"):
        assert client.get(f"/admin/{page}").status_code == 200
    assert outbox() == []


def test_a_suspended_person_signs_in_to_the_own_page(alice: Member) -> None:
    alice.status = Member.Status.SUSPENDED
    alice.save(update_fields=["status"])
    assert sign_in(Client(), "alice", PASSWORD) == "/me/"


def test_a_removed_person_signs_in_and_may_name_a_company(bob: Member) -> None:
    bob.status = Member.Status.REMOVED
    bob.save(update_fields=["status"])
    client = Client()
    assert sign_in(client, "bob", PASSWORD) == "/company/new/"
    assert client.get("/company/new/").status_code == 200


def test_a_page_that_was_asked_for_comes_after_signing_in(alice: Member) -> None:
    client = Client()
    ask = client.get("/members/create/")["Location"]
    answer = client.post(
        "/accounts/login/",
        {"login": "alice", "password": PASSWORD, "next": ask.partition("next=")[2]},
    )
    assert answer["Location"] == "/members/create/"
    elsewhere = Client().post(
        "/accounts/login/",
        {"login": "alice", "password": PASSWORD, "next": "https://evil.example/"},
    )
    assert elsewhere["Location"] == "/"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    "path",
    ["login/", "signup/", "password/reset/", "confirm-email/", "inactive/"],
)
def test_every_page_outside_is_drawn_in_our_frame(db: None, path: str, language: str) -> None:
    page = Client(headers={"accept-language": language}).get(f"/accounts/{path}")
    assert page.status_code == 200
    assert 'class="plain-card' in page.content.decode()


@pytest.mark.parametrize(
    "path", ["email/", "password/change/", "phone/change/", "logout/", "reauthenticate/"]
)
def test_every_page_inside_is_drawn_in_our_frame(alice: Member, path: str) -> None:
    client = Client()
    sign_in(client, "alice", PASSWORD)
    page = client.get(f"/accounts/{path}")
    assert page.status_code == 200
    assert 'class="plain-card' in page.content.decode()


def test_the_language_chosen_in_the_header_is_remembered_for_mails(alice: Member) -> None:
    client = Client()
    sign_in(client, "alice", PASSWORD)
    client.post("/i18n/setlang/", {"language": "fr", "next": "/"})
    alice.user.refresh_from_db()
    assert alice.user.language == "fr"
    assert client.get("/accounts/email/")["Content-Language"] == "fr"


def test_a_person_without_a_language_reads_the_browsers_else_the_companys(
    alice: Member, bob: Member
) -> None:
    alice.company.language = "fr"
    alice.company.save(update_fields=["language"])
    for wanted, read in (("en-GB,en;q=0.8", "en"), ("", "fr"), ("de", "fr")):
        client = Client(headers={"accept-language": wanted})
        client.force_login(bob.user, backend="django.contrib.auth.backends.ModelBackend")
        assert f'lang="{read}"' in client.get("/me/").content.decode()


def test_too_many_attempts_get_a_page_of_ours(db: None) -> None:
    make_user("dora")
    answers = [
        Client().post("/accounts/login/", {"login": "x", "password": "y"}) for _ in range(31)
    ]
    assert answers[-1].status_code == 429
    assert "Too many attempts" in answers[-1].content.decode()
    assert django_settings.ACCOUNT_RATE_LIMITS == {"confirm_email": "1/60s/key"}
