"""The development outbox."""

from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from skypemgr.lib.outbox import EmailBackend, read_messages, store_sms


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.OUTBOX_DIR = tmp_path


def send_mail(html: str) -> None:
    mail = EmailMultiAlternatives("Hello", "Open http://localhost/x/ now", "a@b.c", ["bob@b.c"])
    mail.attach_alternative(html, "text/html")
    EmailBackend().send_messages([mail])


def test_mails_and_text_messages_are_listed_with_their_links(db: None, client: Client) -> None:
    send_mail("<p>Hi</p>")
    store_sms(to="+33142270000", text="Your code: 123456")
    page = client.get("/outbox/").content.decode()
    assert page.index("123456") < page.index("Hello")
    assert 'href="http://localhost/x/"' in page


def test_a_mail_that_carries_a_script_cannot_run_it(db: None, client: Client) -> None:
    send_mail("<script>alert(1)</script>")
    assert "<script>alert(1)" not in client.get("/outbox/").content.decode()
    letter = client.get(f"/outbox/{read_messages(1)[0].id}/")
    policy = letter["Content-Security-Policy"]
    assert policy.startswith("sandbox")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy


def test_a_letter_that_is_not_there_is_404(db: None, client: Client) -> None:
    assert client.get("/outbox/nothing/").status_code == 404
    assert client.get("/outbox/..%2Fsecret/").status_code == 404
