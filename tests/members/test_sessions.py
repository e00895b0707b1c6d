"""Where a person is signed in, and signing out from afar."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client

from members.actors import Actor
from members.models import AuditEntry, Member
from members.sessions import end_session, end_sessions, forget_sessions, own_sessions
from skypemgr.lib.devices import read_device
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.periods import utc_now
from tests.api.conftest import Api, refused
from tests.api.conftest import api as api  # noqa: PLC0414
from tests.conftest import PASSWORD, ClientOf
from tests.credit_pages.conftest import words_of

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36"
)
EDGE = CHROME.replace("X11; Linux x86_64", "Windows NT 10.0") + " Edg/126.0.0.0"
PAGE = "/profile/sessions/"


def browser(member: Member, user_agent: str = FIREFOX) -> Client:
    """A browser in which the member signed in by the page."""
    client = Client(headers={"user-agent": user_agent, "accept-language": "en"})
    login = {"login": member.user.email, "password": PASSWORD}
    assert client.post("/accounts/login/", login).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


@pytest.mark.parametrize("who", ["alice", "bob", "fiona"])
def test_everybody_sees_the_own_browsers_this_one_first(
    request: pytest.FixtureRequest, charlie: Member, who: str
) -> None:
    member: Member = request.getfixturevalue(who)
    browser(charlie, CHROME)
    here, _there = browser(member), browser(member, SAFARI)
    page = words_of(here.get(PAGE))
    assert page.index("Firefox on Windows this browser") < page.index("Safari on iPhone")
    assert "Chrome on Linux" not in page
    assert "127.0.0.1" in page


def test_one_browser_is_signed_out_and_the_others_stay(bob: Member) -> None:
    here, there, elsewhere = browser(bob), browser(bob, SAFARI), browser(bob, CHROME)
    (row,) = UserSession.objects.filter(user_agent=SAFARI)
    answer = here.post(f"{PAGE}{row.pk}/end/", follow=True)
    assert "You are signed out there." in words_of(answer)
    assert "Safari" not in words_of(answer)
    assert [is_signed_in(one) for one in (here, there, elsewhere)] == [True, False, True]
    entry = AuditEntry.objects.get(verb="end_sessions")
    assert (entry.member, entry.subject) == (bob, f"member:{bob.pk}")


def test_everywhere_else_leaves_this_browser_alone(bob: Member, alice: Member) -> None:
    here, there, elsewhere = browser(bob), browser(bob, SAFARI), browser(bob, CHROME)
    other = browser(alice)
    answer = here.post(f"{PAGE}end/", follow=True)
    assert "You are signed out in 2 other browsers." in words_of(answer)
    assert "Sign out everywhere else" not in words_of(answer)
    assert [is_signed_in(one) for one in (here, there, elsewhere, other)] == [
        True,
        False,
        False,
        True,
    ]
    here.post(f"{PAGE}end/")
    assert AuditEntry.objects.filter(verb="end_sessions").count() == 1


def test_another_persons_browser_is_not_there(bob: Member, alice: Member, charlie: Member) -> None:
    browser(bob)
    (row,) = UserSession.objects.filter(user=bob.user)
    for member in (alice, charlie):
        assert browser(member).post(f"{PAGE}{row.pk}/end/").status_code == 404
        with pytest.raises(NotFound):
            end_session(actor=Actor.of_member(member), session_id=row.pk)
    assert UserSession.objects.filter(pk=row.pk).exists()


def test_a_browser_that_nothing_tells_of_is_told_when_it_looks(
    client_of: ClientOf, bob: Member
) -> None:
    client = client_of(bob)
    assert not UserSession.objects.exists()
    assert "this browser" in words_of(client.get(PAGE))
    assert UserSession.objects.filter(user=bob.user).count() == 1


def test_a_new_password_leaves_only_this_browser_in_the_list(bob: Member) -> None:
    here, there = browser(bob), browser(bob, SAFARI)
    word = "a wholly new password"
    fields = {"oldpassword": PASSWORD, "password1": word, "password2": word}
    assert here.post("/accounts/password/change/", fields).status_code == 302
    assert not is_signed_in(there)
    page = words_of(here.get(PAGE))
    assert "Firefox on Windows this browser" in page
    assert "Safari" not in page


def test_the_last_use_is_written_every_few_minutes(bob: Member) -> None:
    client = browser(bob)
    long_ago = utc_now() - timedelta(days=2)
    UserSession.objects.update(last_seen_at=long_ago)
    cache.clear()
    client.get("/profile/")
    seen = UserSession.objects.get().last_seen_at
    assert seen > long_ago
    client.get("/profile/")
    assert UserSession.objects.get().last_seen_at == seen


def test_what_is_known_of_a_browser_goes_with_its_session(bob: Member, alice: Member) -> None:
    here, _other = browser(bob), browser(alice)
    here.session.flush()
    assert forget_sessions() == 1
    assert forget_sessions() == 0
    assert forget_sessions(now=utc_now() + timedelta(days=15)) == 1


def test_the_api_tells_and_ends_the_own_ones_only(api: Api, bob: Member, alice: Member) -> None:
    browser(bob)
    there = browser(bob, SAFARI)
    browser(alice)
    rows = api(bob).get("me/sessions").json()["results"]
    assert [row["browser"] for row in rows] == ["Safari on iPhone", "Firefox on Windows"]
    assert api(bob).delete(f"me/sessions/{rows[0]['id']}").status_code == 204
    assert not is_signed_in(there)
    refused(api(bob).delete(f"me/sessions/{rows[0]['id']}"), 404, "not_found")
    refused(api(alice).delete(f"me/sessions/{rows[1]['id']}"), 404, "not_found")
    assert api(bob).delete("me/sessions").status_code == 204
    assert api(bob).get("me/sessions").json()["results"] == []
    assert UserSession.objects.filter(user=alice.user).count() == 1


def test_a_token_of_the_company_is_signed_in_nowhere(alice: Member) -> None:
    actor = Actor.system(alice.company)
    for refusal in (lambda: own_sessions(actor), lambda: end_sessions(actor=actor)):
        with pytest.raises(NotAllowed):
            refusal()


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (SAFARI, "Safari on iPhone"),
        (CHROME, "Chrome on Linux"),
        (EDGE, "Edge on Windows"),
        ("curl/8.5.0", "Unknown browser"),
        ("<script>alert(1)</script>", "Unknown browser"),
        ("Mozilla/5.0 (Linux; Android 14)", "Android"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(header: str, words: str) -> None:
    assert read_device(header).words == words
