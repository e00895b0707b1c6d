"""Text messages through the port, and the outbox."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from skypemgr.lib.outbox import read_message, read_messages, store_sms
from skypemgr.lib.sms import SmsNotSent, send_sms

NUMBER = "+33612345678"


class Provider(BaseHTTPRequestHandler):
    """Takes messages and answers with the status it is told."""

    status = 202
    taken: list[tuple[str, dict[str, str]]] = []

    def do_POST(self) -> None:
        """Keeps what was sent."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.headers["Authorization"], json.loads(body)))
        self.send_response(self.status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def provider(settings: Settings) -> Iterator[type[Provider]]:
    server = HTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    settings.SMS_SENDER = "http"
    settings.SMS_HTTP_URL = f"http://127.0.0.1:{server.server_port}/send"
    settings.SMS_HTTP_TOKEN = "secret-token"
    settings.SMS_FROM = "Acme"
    Provider.status, Provider.taken = 202, []
    yield Provider
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def outbox_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.OUTBOX_DIR = tmp_path / "outbox"
    settings.EMAIL_BACKEND = "skypemgr.lib.outbox.EmailBackend"
    settings.SMS_SENDER = "outbox"
    return tmp_path / "outbox"


def test_the_provider_gets_number_text_and_token(provider: type[Provider]) -> None:
    send_sms(to=NUMBER, text="Bonjour à tous")
    assert provider.taken == [
        ("Bearer secret-token", {"to": NUMBER, "from": "Acme", "text": "Bonjour à tous"})
    ]


@pytest.mark.parametrize("status", [302, 400, 401, 500])
def test_a_refusal_of_the_provider_is_our_error(
    provider: type[Provider], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    provider.status = status
    with pytest.raises(SmsNotSent):
        send_sms(to=NUMBER, text="x")
    assert str(status) in caplog.text
    assert NUMBER not in caplog.text
    assert "secret-token" not in caplog.text


def test_an_unreachable_provider_is_our_error(settings: Settings) -> None:
    settings.SMS_SENDER, settings.SMS_HTTP_URL = "http", "http://127.0.0.1:1/"
    with pytest.raises(SmsNotSent):
        send_sms(to=NUMBER, text="x")


def test_the_console_shows_the_message(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SMS_SENDER = "console"
    send_sms(to=NUMBER, text="hello")
    assert capsys.readouterr().out == f"SMS {NUMBER}: hello\n"


def test_the_outbox_keeps_mails_and_text_messages_newest_first(outbox_dir: Path) -> None:
    assert read_messages() == []
    mail = EmailMultiAlternatives("Été", "text", "a@example.com", ["b@example.com"])
    mail.attach_alternative("<p>html</p>", "text/html")
    assert mail.send() == 1
    send_sms(to=NUMBER, text="hello")
    text, kept = read_messages()
    assert (text.kind, text.to, text.text) == ("sms", [NUMBER], "hello")
    assert (kept.kind, kept.subject, kept.html) == ("mail", "Été", "<p>html</p>")
    assert read_messages(1) == [text]
    assert read_message(kept.id) == kept
    assert read_message("../secret") is None


def test_messages_stored_at_once_are_all_kept_and_whole(outbox_dir: Path) -> None:
    threads = [
        threading.Thread(target=store_sms, kwargs={"to": NUMBER, "text": str(n)}) for n in range(40)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        read_messages()
    assert {message.text for message in read_messages()} == {str(n) for n in range(40)}
    assert all(path.suffix == ".json" for path in outbox_dir.iterdir())
