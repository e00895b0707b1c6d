"""Messages kept as files instead of being sent, for development.

Its one rule: a message is one file, whole or not there; web and worker share the folder.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

KEPT_MESSAGES = 1_000


@dataclass(frozen=True)
class Message:
    """One mail or text message as it would arrive. ``kind`` is ``mail`` or ``sms``."""

    id: str
    kind: str
    sent_at: str
    sender: str
    to: list[str]
    subject: str
    text: str
    html: str

    @property
    def when(self) -> datetime:
        """The instant at which it was sent."""
        return datetime.fromisoformat(self.sent_at)


class EmailBackend(BaseEmailBackend):
    """Django's mail backend that stores each mail in the outbox."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Every mail is a file in the outbox; gives their number."""
        for mail in email_messages:
            html = ""
            if isinstance(mail, EmailMultiAlternatives):
                html = next(
                    (str(part) for part, kind in mail.alternatives if kind == "text/html"), ""
                )
            _store(
                kind="mail",
                sender=mail.from_email,
                to=list(mail.recipients()),
                subject=str(mail.subject),
                text=str(mail.body),
                html=html,
            )
        return len(email_messages)


def store_sms(*, to: str, text: str) -> None:
    """The text message is a file in the outbox."""
    _store(kind="sms", sender=settings.SMS_FROM, to=[to], subject="", text=text, html="")


def read_messages(limit: int = 100) -> list[Message]:
    """The newest messages, newest first."""
    return [_read(path) for path in _paths()[:limit]]


def read_message(message_id: str) -> Message | None:
    """The message of that id, or None."""
    for path in _paths():
        if path.stem == message_id:
            return _read(path)
    return None


def _store(**fields: Any) -> None:
    folder = Path(settings.OUTBOX_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".", suffix=".draft")
    # The random part of the draft's name keeps two messages of one microsecond apart.
    message_id = f"{now:%Y%m%dT%H%M%S%f}-{Path(draft).stem[1:]}"
    message = Message(id=message_id, sent_at=now.isoformat(), **fields)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(message), file, ensure_ascii=False)
    Path(draft).replace(folder / f"{message_id}.json")
    for old in _paths()[KEPT_MESSAGES:]:
        old.unlink(missing_ok=True)


def _paths() -> list[Path]:
    folder = Path(settings.OUTBOX_DIR)
    if not folder.is_dir():
        return []
    return sorted(folder.glob("*.json"), key=lambda path: path.name, reverse=True)


def _read(path: Path) -> Message:
    return Message(**json.loads(path.read_text(encoding="utf-8")))
