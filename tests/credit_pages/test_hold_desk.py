"""The operator finds the calls that never ended, without the numbers called."""

from datetime import timedelta

import pytest
from django.test import Client

from credit.holds import authorize_call, expire_holds
from credit.models import Hold, Rate
from members.models import Member, User
from skypemgr.lib.periods import utc_now
from tests.conftest import give
from tests.credit_pages.conftest import words_of


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    user = User.objects.create_superuser("operator", "operator@example.com", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def holds(rich: Member, bob: Member) -> list[Hold]:
    """An expired one and one in progress."""
    Rate.objects.create(
        prefix="33", kind="other", price_per_minute=1, currency="EUR", valid_from="2020-01-01"
    )
    give(rich, bob, "100")
    asked = {"source": "pbx", "member": bob.pk, "destination": "+33142276830"}
    now = utc_now()
    authorize_call(rich.company, id="forgotten", now=now - timedelta(days=1), **asked)
    assert expire_holds(now=now) == 1
    authorize_call(rich.company, id="running", now=now, **asked)
    return list(Hold.objects.order_by("pk"))


def test_expired_holds_are_listed_by_themselves(operator: Client, holds: list[Hold]) -> None:
    everything = words_of(operator.get("/admin/credit/hold/"))
    assert "forgotten" in everything
    assert "running" in everything
    expired = words_of(operator.get("/admin/credit/hold/?status__exact=expired"))
    assert "forgotten" in expired
    assert "running" not in expired
    assert "142276830" not in everything


def test_a_hold_is_read_and_never_changed(operator: Client, holds: list[Hold]) -> None:
    address = f"/admin/credit/hold/{holds[0].pk}/change/"
    page = operator.get(address)
    assert page.status_code == 200
    assert "142276830" not in words_of(page)
    assert operator.post(address, {"status": "open"}).status_code == 403
    assert operator.get("/admin/credit/hold/add/").status_code == 403
    assert operator.post(f"/admin/credit/hold/{holds[0].pk}/delete/").status_code == 403
    assert Hold.objects.get(pk=holds[0].pk).status == "expired"
