"""The pages about the company as a payer: billing details, limits, VAT on the way to paying."""

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from pytest_django import Settings

from billing.drafts import Draft
from billing.errors import BillingDetailsMissing
from billing.gateways.base import Way
from billing.gateways.registry import find_gateway
from billing.means import NewMethod
from billing.models import BillingProfile, Purchase, VatRate
from billing.profile import missing_details, require_details
from credit.accounts import company_balance
from members.actors import Actor
from members.company_profile import update_company
from members.models import Company, Member
from tests.billing.conftest import card_of, text_of
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db
DETAILS: dict[str, Any] = {
    "name": "Acme",
    "address_line_1": "12 rue de la Paix",
    "address_line_2": "",
    "postcode": "75002",
    "city": "Paris",
    "country": "FR",
    "siren": "303265045",
    "vat_number": "",
}
LIMITS = "/settings/payment/limits/"


@pytest.fixture(autouse=True)
def _stripe(settings: Settings) -> None:
    settings.GATEWAYS = ["sandbox", "stripe"]


def draft_of(company: Company, amount: str = "50") -> str:
    means = NewMethod("stripe", Way.CARD)
    return Draft.start(company, means=means, amount=Decimal(amount), terms=None).sign()


def check_address(draft: str) -> str:
    return f"/buy/check/?{urlencode({'draft': draft})}"


@pytest.mark.parametrize(
    ("company", "missing"),
    [
        ({"country": "FR"}, ["address_line_1", "postcode", "city", "siren"]),
        ({"country": "DE"}, ["address_line_1", "postcode", "city"]),
        ({"country": "HK"}, ["address_line_1", "city"]),
        ({"country": "FR", "address_line_1": "x", "postcode": "1", "city": "y"}, ["siren"]),
        ({"country": "GB", "address_line_1": "x", "postcode": "1", "city": "y"}, []),
    ],
)
def test_each_country_needs_its_own_details(company: dict[str, str], missing: list[str]) -> None:
    assert missing_details(Company(**company)) == missing


def test_a_gateway_that_asks_for_none_needs_none(alice: Member) -> None:
    require_details(alice.company, find_gateway("sandbox"))
    with pytest.raises(BillingDetailsMissing) as caught:
        require_details(alice.company, find_gateway("stripe"))
    assert caught.value.details["fields"] == ["address_line_1", "postcode", "city", "siren"]
    assert "Missing: Address, Postcode, City, SIREN." in str(caught.value)


def test_missing_details_are_asked_before_the_check_page_and_the_draft_is_kept(
    alice: Member, client_of: ClientOf
) -> None:
    browser, draft = client_of(alice), draft_of(alice.company)
    asked = browser.get(check_address(draft))["Location"]
    assert urlsplit(asked).path == "/buy/details/"
    assert "What goes on your invoice?" in text_of(browser.get(asked))
    on = browser.post("/buy/details/", {**DETAILS, "draft": draft})["Location"]
    assert parse_qs(urlsplit(on).query)["draft"] == [draft]
    assert "Total €60.00" in text_of(browser.get(on))
    company = Company.objects.get(pk=alice.company_id)
    assert (company.city, company.siren) == ("Paris", "303265045")
    assert not Purchase.objects.exists()


def test_a_company_with_everything_is_not_asked(alice: Member, client_of: ClientOf) -> None:
    update_company(actor=Actor.of_member(alice), **{**DETAILS, "address_line_2": "B"})
    page = client_of(alice).get(check_address(draft_of(alice.company)))
    assert page.status_code == 200


def test_the_sandbox_asks_for_no_address(alice: Member, client_of: ClientOf) -> None:
    draft = Draft.start(alice.company, means=card_of(alice), amount=Decimal(50), terms=None)
    assert client_of(alice).get(check_address(draft.sign())).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"address_line_1": ""}, "Your invoices need this."),
        ({"siren": ""}, "Your invoices need this."),
        ({"siren": "123456789"}, "This is not a SIREN"),
        ({"vat_number": "FR41303265045"}, "This is not a VAT number of your country."),
        ({"country": "XX"}, "Select a valid choice."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    alice: Member, client_of: ClientOf, wrong: dict[str, str], words: str
) -> None:
    wish = {**DETAILS, **wrong, "draft": draft_of(alice.company)}
    answer = client_of(alice).post("/buy/details/", wish)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert Company.objects.get(pk=alice.company_id).city == ""


def test_a_company_elsewhere_needs_no_siren(alice: Member, client_of: ClientOf) -> None:
    wish = {**DETAILS, "country": "BE", "siren": "", "draft": draft_of(alice.company)}
    answer = client_of(alice).post("/buy/details/", wish)
    assert answer.status_code == 302


def test_a_draft_of_another_company_or_none_leads_back_to_the_start(
    alice: Member, charlie: Member, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    for draft in ("", "forged", draft_of(charlie.company)):
        answer = browser.post("/buy/details/", {**DETAILS, "draft": draft})
        assert answer["Location"] == "/buy/"
    assert Company.objects.get(pk=alice.company_id).city == ""


@pytest.mark.parametrize("address", ["/buy/details/", LIMITS])
@pytest.mark.parametrize("who", ["bob", "fiona"])
def test_only_administrators_open_these_pages(
    address: str, who: str, client_of: ClientOf, request: pytest.FixtureRequest
) -> None:
    browser = client_of(request.getfixturevalue(who))
    assert browser.get(address).status_code == 403
    assert browser.post(address, {"company_limit": "5"}).status_code == 403
    assert not BillingProfile.objects.exists()


def test_the_own_limit_is_set_shown_and_removed_on_its_page(
    alice: Member, charlie: Member, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    assert "No limit of your own" in text_of(browser.get(LIMITS))
    assert browser.post(LIMITS, {"company_limit": "1 500,50"})["Location"] == LIMITS
    assert BillingProfile.objects.get().company_limit == Decimal("1500.50")
    assert "€1,500.50" in text_of(browser.get(LIMITS))
    assert "No limit of your own" in text_of(client_of(charlie).get(LIMITS))
    browser.post(LIMITS, {"company_limit": ""})
    assert BillingProfile.objects.get(company=alice.company).company_limit is None


@pytest.mark.parametrize("typed", ["0", "-5", "1,500", "abc", "1,234567"])
def test_a_limit_that_makes_no_sense_is_refused_beside_its_field(
    alice: Member, client_of: ClientOf, typed: str
) -> None:
    answer = client_of(alice).post(LIMITS, {"company_limit": typed})
    assert answer.status_code == 422
    assert typed in answer.content.decode()
    assert not BillingProfile.objects.filter(company_limit__isnull=False).exists()


def test_the_limits_page_tells_each_way_and_the_vat(alice: Member, client_of: ClientOf) -> None:
    update_company(actor=Actor.of_member(alice), country="DE", vat_number="DE136695976")
    words = text_of(client_of(alice).get(LIMITS))
    for part in (
        "SEPA direct debit €500.00 €1,000.00 €1,000.00",
        "not verified yet",
        "19 %",
        "DE136695976 Not checked yet",
        "VAT is charged until your VAT number has been checked.",
    ):
        assert part in words


def test_the_limits_page_in_french_writes_numbers_as_french_does(
    alice: Member, client_of: ClientOf
) -> None:
    page = client_of(alice, "fr").get(LIMITS).content.decode()
    assert "1\u202f000,00\u00a0€" in page


def test_the_amount_page_says_what_is_left_and_refuses_more(
    alice: Member, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    page = "/buy/amount/?method=stripe:card"
    assert "€2,500.00 can still be bought this way" in text_of(browser.get(page))
    answer = browser.post(page, {"choice": "other", "other": "1000,01"})
    assert answer.status_code == 422
    assert "At most €1,000.00 can be bought at once this way" in text_of(answer)


def test_what_is_charged_is_what_the_page_showed(alice: Member, client_of: ClientOf) -> None:
    browser = client_of(alice)
    draft = Draft.start(alice.company, means=card_of(alice), amount=Decimal(50), terms=None).sign()
    assert 'name="total" value="60.00"' in browser.get(check_address(draft)).content.decode()
    day = alice.company.day_at(alice.company.created_at)
    VatRate.objects.create(country="FR", rate=Decimal(21), valid_from=day)
    answer = browser.post("/buy/check/", {"draft": draft, "total": "60.00"})
    assert answer.status_code == 422
    assert "The VAT changed meanwhile." in text_of(answer)
    assert not Purchase.objects.exists()
    browser.post("/buy/check/", {"draft": draft, "total": "60.50"})
    assert company_balance(alice.company) == 50
    assert Purchase.objects.get().total == Decimal("60.50")


def test_the_check_page_says_why_there_is_no_vat(client_of: ClientOf, alice: Member) -> None:
    update_company(actor=Actor.of_member(alice), country="CH")
    draft = Draft.start(alice.company, means=card_of(alice), amount=Decimal(50), terms=None).sign()
    words = text_of(client_of(alice).get(check_address(draft)))
    assert "VAT 0 % No VAT: your company is outside the seller's VAT territory." in words
