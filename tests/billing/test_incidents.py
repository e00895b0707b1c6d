"""What an operator must look at is listed once and mailed once."""

from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from billing.checks import check_operators
from billing.errors import ResolutionMissing
from billing.incidents import mail_incident, mail_incidents, report, resolve
from billing.models import PaymentIncident
from members.models import Member, User
from tests.billing.conftest import buy

pytestmark = pytest.mark.django_db
Kind = PaymentIncident.Kind


@pytest.fixture(autouse=True)
def _operators(settings: Settings) -> None:
    settings.OPERATOR_EMAILS = ["desk@example.com", "night@example.com"]


@pytest.fixture
def operator() -> User:
    user = User.objects.create_user("operator", "operator@example.com", "x")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.refresh_from_db()
    return user


def an_incident(now: datetime, key: str = "a") -> PaymentIncident:
    report(Kind.REFUND, gateway="scripted", key=key, now=now, amount="5.00")
    return PaymentIncident.objects.get(key=key)


def test_one_key_is_one_incident_with_the_facts_of_the_first_time(
    alice: Member, now: datetime
) -> None:
    purchase = buy(alice)
    assert report(Kind.REFUND, purchase=purchase, key="a", now=now, amount="5.00")
    assert not report(Kind.DISPUTE, purchase=purchase, key="a", now=now, amount="6.00")
    incident = PaymentIncident.objects.get()
    assert (incident.kind, incident.data) == (Kind.REFUND, {"amount": "5.00"})
    assert (incident.company, incident.gateway) == (alice.company, "sandbox")


def test_an_incident_shares_the_fate_of_its_fact(now: datetime) -> None:
    with transaction.atomic():
        an_incident(now)
        transaction.set_rollback(True)
    assert not PaymentIncident.objects.exists()


def test_every_operator_is_mailed_once(now: datetime) -> None:
    incident = an_incident(now)
    assert mail_incident(incident.pk, now=now)
    assert not mail_incident(incident.pk, now=now)
    assert mail_incidents(now=now + timedelta(hours=1)) == 0
    assert [message.to for message in mail.outbox] == [["desk@example.com"], ["night@example.com"]]
    assert "Money was given back" in mail.outbox[0].subject
    assert f"/admin/billing/paymentincident/{incident.pk}/change/" in mail.outbox[0].body
    assert "5.00" in mail.outbox[0].body


def test_a_mail_that_was_lost_is_sent_by_the_sweep(now: datetime) -> None:
    incident = an_incident(now)
    with patch("django.core.mail.EmailMultiAlternatives.send", side_effect=OSError):
        assert not mail_incident(incident.pk, now=now)
    assert mail_incidents(now=now + timedelta(minutes=1)) == 0
    assert mail_incidents(now=now + timedelta(minutes=11)) == 1
    assert len(mail.outbox) == 2


def test_without_an_address_incidents_are_listed_only(now: datetime, settings: Settings) -> None:
    settings.OPERATOR_EMAILS = []
    assert not mail_incident(an_incident(now).pk, now=now)
    assert not mail.outbox


def test_taking_payments_in_production_without_an_operator_is_cautioned(
    settings: Settings,
) -> None:
    settings.PRODUCTION, settings.GATEWAYS = True, ["stripe"]
    assert check_operators() == []
    settings.OPERATOR_EMAILS = []
    assert [found.id for found in check_operators()] == ["billing.W002"]


def test_an_incident_is_closed_by_a_person_with_a_word_and_the_first_word_stays(
    now: datetime, operator: User
) -> None:
    incident = an_incident(now)
    with pytest.raises(ResolutionMissing):
        resolve(incident, user=operator, text="  ", now=now)
    assert resolve(incident, user=operator, text="Called the bank.", now=now)
    assert not resolve(incident, user=operator, text="Again.", now=now)
    incident.refresh_from_db()
    assert (incident.resolution, incident.resolved_by) == ("Called the bank.", operator)


def test_the_operators_list_is_read_and_marked_as_seen_with_a_word(
    client: Client, now: datetime, operator: User
) -> None:
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    incident = an_incident(now)
    address = "/admin/billing/paymentincident/"
    assert "Money was given back" in client.get(address).content.decode()
    assert client.get(f"{address}?open=yes").status_code == 200
    assert client.get(f"{address}{incident.pk}/change/").status_code == 200
    assert client.post(f"{address}{incident.pk}/change/", {"kind": "x"}).status_code == 403
    asked = {"action": "mark_as_seen", "_selected_action": [incident.pk]}
    page = client.post(address, {**asked, "word": ""}, follow=True)
    assert "Say in a few words" in page.content.decode()
    client.post(address, {**asked, "word": "Seen."})
    incident.refresh_from_db()
    assert incident.resolution == "Seen."
    assert "Seen." not in client.get(f"{address}?open=yes").content.decode()


def test_administrators_of_companies_see_no_incident(
    client: Client, alice: Member, now: datetime
) -> None:
    client.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")
    an_incident(now)
    assert client.get("/admin/billing/paymentincident/").status_code in {302, 403, 404}
