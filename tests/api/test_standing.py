"""Suspending and reactivating through the API."""

import pytest

from members.models import Member
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


def test_the_api_suspends_and_reactivates(alice: Member, bob: Member, api: Api) -> None:
    client = api(alice)
    answer = client.post(f"members/{bob.pk}/suspend")
    assert (answer.status_code, answer.json()["status"]) == (200, "suspended")
    answer = client.post(f"members/{bob.pk}/reactivate")
    assert (answer.status_code, answer.json()["status"]) == (200, "active")
    answer = client.post(f"members/{alice.pk}/suspend")
    assert (answer.status_code, answer.json()["code"]) == (422, "last_administrator")


@pytest.mark.parametrize("verb", ["suspend", "reactivate"])
def test_the_api_refuses_other_roles_and_other_companies(
    verb: str, alice: Member, bob: Member, fiona: Member, charlie: Member, api: Api
) -> None:
    for member, status in ((bob, 403), (fiona, 403), (charlie, 404)):
        answer = api(member).post(f"members/{alice.pk}/{verb}")
        assert answer.status_code == status
    assert Member.objects.get(pk=alice.pk).status == "active"
