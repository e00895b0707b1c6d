"""What tests about people share: the outbox, invitations that were sent, links in messages."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from members.actors import Actor
from members.delivery import send_pending_invitations
from members.invitations import invite_members
from members.models import Member
from skypemgr.lib.outbox import Message, read_messages

Invite = Callable[..., str]


@pytest.fixture(autouse=True)
def outbox(settings: Settings, tmp_path: Path) -> Callable[[], list[Message]]:
    """Every message is a file in a folder of the test's own; call to read, newest first."""
    settings.EMAIL_BACKEND = "skypemgr.lib.outbox.EmailBackend"
    settings.SMS_SENDER = "outbox"
    settings.OUTBOX_DIR = tmp_path / "outbox"
    return read_messages


def path_in(message: Message, start: str) -> str:
    """The path of the first link in the message that begins with these words."""
    found = [urlsplit(url).path for url in re.findall(r"https?://\S+", message.text)]
    return next(str(path) for path in found if path.startswith(start))


@pytest.fixture
def invite(outbox: Callable[[], list[Message]]) -> Invite:
    """Invites one person and gives the path of the link that was mailed."""

    def make(administrator: Member, address: str, **terms: object) -> str:
        way = "email" if "@" in address else "username"
        invite_members(
            actor=Actor.of_member(administrator),
            way=way,
            addresses=[address],
            **terms,  # type: ignore[arg-type]
        )
        assert send_pending_invitations() == 1
        return path_in(outbox()[0], "/invitations/")

    return make


def code_in(message: Message) -> str:
    """The six digits of a code."""
    found = re.search(r"\b\d{6}\b", message.text)
    assert found
    return found[0]
