"""The bell: one's own notices, and which of them come by mail."""

from collections.abc import Callable

import pytest

from members.actors import Actor
from members.mailing import send_pending_notices
from members.models import AuditEntry, Company, Member, MutedNotice, Notice
from members.notice_choices import OPTIONAL, kind_label, read_choices
from members.notices import NoticeKind, tell_administrators, tell_member
from members.welcome import send_welcome
from skypemgr.lib.outbox import Message
from tests.api.conftest import Api, refused
from tests.api.conftest import api as api  # noqa: PLC0414
from tests.conftest import ClientOf

Outbox = Callable[[], list[Message]]
INBOX, CHOICES = "/notices/", "/profile/notices/"
DECLINED = NoticeKind.INVITATION_DECLINED


def tell(company: Company, key: str = "k", url: str = "/members/") -> None:
    tell_administrators(company, DECLINED, key=key, address=f"{key}@example.com", url=url)


def test_the_bell_counts_what_is_not_read_and_its_page_lists_it(
    client_of: ClientOf, alice: Member
) -> None:
    client = client_of(alice)
    assert "bell-count" not in client.get(INBOX).content.decode()
    tell(alice.company, "dora")
    tell(alice.company, "zoe")
    page = client.get(INBOX).content.decode()
    assert '<span class="bell-count" aria-hidden="true">2</span>' in page
    assert page.index("zoe@example.com has declined") < page.index("dora@example.com has declined")
    assert page.count("is-unread") == 2
    newest = Notice.objects.latest("pk")
    answer = client.get(f"{INBOX}{newest.pk}/")
    assert (answer.status_code, answer["Location"]) == (302, "/members/")
    page = client.get(INBOX).content.decode()
    assert '<span class="bell-count" aria-hidden="true">1</span>' in page
    assert client.post(f"{INBOX}read/")["Location"] == INBOX
    page = client.get(INBOX).content.decode()
    assert "bell-count" not in page
    assert "Mark all as read" not in page
    assert "zoe@example.com has declined" in page


def test_notices_are_read_in_the_language_of_the_page(client_of: ClientOf, alice: Member) -> None:
    tell(alice.company)
    english = client_of(alice).get(INBOX).content.decode()
    french = client_of(alice, "fr").get(INBOX).content.decode()
    assert "k@example.com has declined" in english
    assert "has declined" not in french


def test_nobody_reads_or_marks_anothers_notices(
    client_of: ClientOf, alice: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    tell(alice.company)
    notice = Notice.objects.get()
    for member in (bob, fiona, charlie):
        client = client_of(member)
        assert "has declined" not in client.get(INBOX).content.decode()
        assert client.get(f"{INBOX}{notice.pk}/").status_code == 404
        client.post(f"{INBOX}read/")
    notice.refresh_from_db()
    assert notice.read_at is None


@pytest.mark.parametrize(
    "url", ["https://elsewhere.example/", "//elsewhere.example", "/\\x.example"]
)
def test_a_notice_never_leads_off_the_site(client_of: ClientOf, alice: Member, url: str) -> None:
    tell(alice.company, url=url)
    answer = client_of(alice).get(f"{INBOX}{Notice.objects.get().pk}/")
    assert answer["Location"] == INBOX


def test_a_kind_of_an_older_version_is_still_shown(client_of: ClientOf, alice: Member) -> None:
    Notice.objects.create(company=alice.company, member=alice, kind="parrot_fed", key="p")
    assert "Parrot fed" in client_of(alice).get(INBOX).content.decode()


def test_the_link_to_set_a_password_is_no_notice(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    send_welcome(bob, Actor.of_member(alice))
    page = client_of(bob).get(INBOX).content.decode()
    assert "No notices" in page
    assert "bell-count" not in page


def test_older_notices_follow_without_a_gap(
    client_of: ClientOf, alice: Member, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(40):
        tell(alice.company, f"n{number:02}")
    client = client_of(alice)
    client.get(INBOX)
    with django_assert_max_num_queries(6):  # type: ignore[attr-defined]
        first = client.get(INBOX)
    assert "n10@" in first.content.decode()
    assert "n09@" not in first.content.decode()
    second = client.get(INBOX + first.context["older"]).content.decode()
    assert "n09@" in second
    assert "n00@" in second
    for query in ({"before": "x"}, {"before": "9" * 30}):
        assert client.get(INBOX, query).status_code == 200


def test_a_kind_that_is_switched_off_is_not_mailed_but_stands_behind_the_bell(
    client_of: ClientOf, alice: Member, outbox: Outbox
) -> None:
    client = client_of(alice)
    kept = [one.kind for one in read_choices(alice) if one.can_switch and one.kind != DECLINED]
    assert client.post(CHOICES, {"kind": kept})["Location"] == CHOICES
    tell(alice.company)
    assert send_pending_notices() == 0
    assert outbox() == []
    assert "k@example.com has declined" in client.get(INBOX).content.decode()
    client.post(CHOICES, {"kind": [*kept, DECLINED]})
    tell(alice.company, "later")
    assert send_pending_notices() == 1
    assert AuditEntry.objects.filter(verb="mute_notices").count() == 2


def test_money_that_goes_wrong_is_mailed_whatever_was_chosen(
    client_of: ClientOf, alice: Member, outbox: Outbox
) -> None:
    client_of(alice).post(CHOICES, {})
    assert MutedNotice.objects.count() == len(
        [one for one in read_choices(alice) if one.can_switch]
    )
    MutedNotice.objects.create(company=alice.company, member=alice, kind="recharge_blocked")
    tell_member(alice, NoticeKind.RECHARGE_BLOCKED, key="b")
    assert send_pending_notices() == 1
    page = client_of(alice).get(CHOICES).content.decode()
    assert "cannot be switched off" in page


def test_only_kinds_of_ones_role_are_offered(
    client_of: ClientOf, alice: Member, bob: Member
) -> None:
    member = client_of(bob).get(CHOICES).content.decode()
    assert "My request for credit is granted" in member
    assert "A member asks for credit" not in member
    assert "A member asks for credit" in client_of(alice).get(CHOICES).content.decode()


def test_every_kind_has_words() -> None:
    for kind in NoticeKind:
        assert str(kind_label(kind))


def test_programs_read_and_choose(api: Api, alice: Member, bob: Member, charlie: Member) -> None:
    tell(alice.company, "dora")
    client = api(alice)
    listed = client.get("me/notices/list").json()["results"]
    assert [(one["title"], one["path"], one["is_read"]) for one in listed] == [
        ("dora@example.com has declined the invitation", "/members/", False)
    ]
    stranger = api(charlie)
    assert stranger.post("me/notices/read", {"ids": [listed[0]["id"]]}).json() == {"read": 0}
    assert client.post("me/notices/read", {}).json() == {"read": 1}
    answer = client.put("me/notices", {"off": [DECLINED]})
    assert answer.status_code == 200, answer.content
    chosen = {one["kind"]: one["by_mail"] for one in answer.json()["kinds"]}
    assert chosen[DECLINED] is False
    assert chosen["credit_requested"] is True
    refused(client.put("me/notices", {"off": ["low_balance"]}), 422, "invalid")
    refused(client.put("me/notices", {"off": ["no_such"]}), 422, "invalid")
    assert api(bob).get("me/notices").status_code == 200
    refused(api(alice, for_company=True).get("me/notices"), 403, "scope_missing")
    assert set(OPTIONAL) >= {one["kind"] for one in answer.json()["kinds"] if one["can_switch"]}
