"""The catalogue and the stock from files: every row has its verdict, and nothing given changes."""

import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import phonenumbers
import pytest
from django.core.management import CommandError, call_command
from phonenumbers import PhoneNumberType

from billing.errors import NumberNotAvailable
from billing.features.catalogue import (
    DESTINATIONS,
    PLANS,
    Imported,
    import_plans,
    read_prefixes,
)
from billing.features.numbers import reserve_numbers
from billing.features.stock import (
    AREAS,
    NUMBERS,
    bring_back_numbers,
    import_areas,
    import_numbers,
    list_areas,
    withdraw_numbers,
)
from billing.models import NumberArea, PhoneNumber, Plan, PlanPrice, SubscriptionPeriod
from billing.renewals import renew_due
from members.actors import Actor
from members.countries import CURRENCIES
from members.models import Member
from skypemgr.lib.amounts import currency_places
from tests.billing.features.conftest import NOON, at, give_number, give_plan, only

pytestmark = pytest.mark.django_db
HEAD = (
    "code,kind,name_en,name_fr,country,prefixes,included_minutes,fair_use_minutes,valid_from,"
    "valid_until,currency,price_1,price_3,price_12"
)
FRANCE = "fr-400,subscription,France,France,,FR,400,,2020-01-01,,EUR,5.99,17,60"


def take(*lines: str, head: str = HEAD) -> Imported:
    """The plans of these lines."""
    return import_plans(io.BytesIO("\n".join([head, *lines]).encode()))


def numbers(*lines: str) -> Imported:
    """The numbers of these lines."""
    return import_numbers(io.BytesIO("\n".join(["country,area,number,count", *lines]).encode()))


def counts(result: Imported) -> tuple[int, int, int, list[tuple[int, str]]]:
    """What became of the rows."""
    return result.added_count, result.changed_count, result.already_count, result.refused


def test_a_plan_has_its_prices_in_each_currency_and_once_more_changes_nothing() -> None:
    lines = (FRANCE, "fr-400,,,,,,,,,,JPY,900,2600,9000")
    assert counts(take(*lines)) == (1, 1, 0, [])
    plan = Plan.objects.get()
    assert (plan.kind, plan.included_seconds, plan.is_unlimited) == ("subscription", 24_000, False)
    assert plan.prefixes[0] == "331"
    prices = PlanPrice.objects.order_by("currency", "months").values_list("currency", "price")
    assert [(currency, f"{price:f}") for currency, price in prices] == [
        ("EUR", "5.9900"),
        ("EUR", "17.0000"),
        ("EUR", "60.0000"),
        ("JPY", "900.0000"),
        ("JPY", "2600.0000"),
        ("JPY", "9000.0000"),
    ]
    assert counts(take(*lines)) == (0, 0, 2, [])


def test_a_list_of_prices_alone_changes_these_and_no_other() -> None:
    take(FRANCE)
    result = take("fr-400,EUR,6.49", "unknown,EUR,1", head="code,currency,price_1")
    assert counts(result) == (0, 1, 0, [(3, "unknown_plan")])
    prices = dict(PlanPrice.objects.values_list("months", "price"))
    assert prices == {1: Decimal("6.49"), 3: Decimal(17), 12: Decimal(60)}


def test_a_price_follows_the_decimals_of_its_currency() -> None:
    result = take(
        FRANCE,
        "fr-400,,,,,,,,,,JPY,900.5,,",
        "fr-400,,,,,,,,,,TND,20.125,,",
        "fr-400,,,,,,,,,,USD,6.125,,",
        'fr-400,,,,,,,,,,GBP,"5,19",,',
        "fr-400,,,,,,,,,,XXX,5,,",
        "fr-400,,,,,,,,,,EUR,5,,",
    )
    assert result.refused == [
        (3, "malformed_price"),
        (5, "malformed_price"),
        (6, "malformed_price"),
        (7, "unknown_currency"),
        (8, "twice_in_file"),
    ]
    assert PlanPrice.objects.get(currency="TND").price == Decimal("20.125")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("A b,voicemail,V,V,,,,,2020-01-01,,EUR,1,,", "malformed_code"),
        ("v,music,V,V,,,,,2020-01-01,,EUR,1,,", "unknown_kind"),
        ("v,voicemail,,V,,,,,2020-01-01,,EUR,1,,", "missing_name_en"),
        (f"v,voicemail,{'V' * 101},V,,,,,2020-01-01,,EUR,1,,", "name_too_long"),
        ("v,voicemail,V,V,,,,,,,EUR,1,,", "missing_valid_from"),
        ("v,voicemail,V,V,,,,,2020-02-30,,EUR,1,,", "malformed_date"),
        ("v,voicemail,V,V,,,,,2020-01-02,2020-01-02,EUR,1,,", "ends_before_start"),
        ("v,voicemail,V,V,,,100,,2020-01-01,,EUR,1,,", "minutes_of_other_kind"),
        ("v,voicemail,V,V,,33,,,2020-01-01,,EUR,1,,", "prefixes_of_other_kind"),
        ("v,voicemail,V,V,FR,,,,2020-01-01,,EUR,1,,", "country_of_other_kind"),
        ("n,number,N,N,,,,,2020-01-01,,EUR,1,,", "missing_country"),
        ("n,number,N,N,QQ,,,,2020-01-01,,EUR,1,,", "unknown_country"),
        ("s,subscription,S,S,,33,,,2020-01-01,,EUR,1,,", "missing_minutes"),
        ("s,subscription,S,S,,33,10,20,2020-01-01,,EUR,1,,", "minutes_twice"),
        ("s,subscription,S,S,,33,0,,2020-01-01,,EUR,1,,", "malformed_minutes"),
        ("s,subscription,S,S,,33,44641,,2020-01-01,,EUR,1,,", "malformed_minutes"),
        ("s,subscription,S,S,,,10,,2020-01-01,,EUR,1,,", "missing_prefixes"),
        ("s,subscription,S,S,,QQ,10,,2020-01-01,,EUR,1,,", "unknown_destination"),
        ("s,subscription,S,S,,0033,10,,2020-01-01,,EUR,1,,", "malformed_prefix"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_and_leaves_nothing(line: str, code: str) -> None:
    assert counts(take(line)) == (0, 0, 0, [(2, code)])
    assert not Plan.objects.exists()
    assert not PlanPrice.objects.exists()


def test_a_plan_that_was_given_never_becomes_another(rich: Member, minutes: Plan) -> None:
    head = "code,kind,prefixes,included_minutes,fair_use_minutes,valid_until,name_fr,currency"
    assert counts(take("france-400,,,300,,,,EUR", head=head)) == (0, 1, 0, [])
    assert counts(take("france-400,,,400,,,,EUR", head=head)) == (0, 1, 0, [])
    give_plan(rich, minutes, rich)
    refused = (0, 0, 0, [(2, "plan_conflict")])
    assert counts(take("france-400,,,300,,,,EUR", head=head)) == refused
    assert counts(take("france-400,,,,400,,,EUR", head=head)) == refused
    assert counts(take("france-400,,44,,,,,EUR", head=head)) == refused
    result = take("france-400,,33 44,,,2026-12-01,Hexagone,EUR", head=head)
    assert counts(result) == (0, 1, 0, [])
    minutes.refresh_from_db()
    assert (minutes.prefixes, minutes.name_fr) == (["33", "44"], "Hexagone")
    assert minutes.valid_until == date(2026, 12, 1)
    assert only().paid_until == date(2026, 2, 28)


def test_a_new_price_concerns_what_is_given_or_renewed_from_then_on(
    rich: Member, minutes: Plan
) -> None:
    give_plan(rich, minutes, rich)
    take("france-400,EUR,9", head="code,currency,price_1")
    assert only().periods.get().price == 5
    give_plan(rich, minutes, rich)
    renew_due(now=at("2026-02-25"))
    prices = SubscriptionPeriod.objects.order_by("starts_on", "pk").values_list("price", flat=True)
    assert list(prices) == [5, 9, 9, 9]


def test_the_catalogue_that_comes_along_is_whole() -> None:
    with PLANS.open("rb") as file:
        result = import_plans(file)
    assert result.refused == []
    assert set(Plan.objects.values_list("kind", flat=True)) == {
        "number",
        "subscription",
        "voicemail",
        "call_forwarding",
        "caller_id",
    }
    currencies = set(PlanPrice.objects.values_list("currency", flat=True))
    assert {currency_places(currency) for currency in currencies} == {0, 2, 3}
    assert currencies <= CURRENCIES
    assert PlanPrice.objects.count() == Plan.objects.count() * len(currencies) * 3
    with PLANS.open("rb") as file:
        assert import_plans(file).already_count == len(currencies) * Plan.objects.count()


def test_plans_include_what_people_are_called_on_and_nothing_dearer() -> None:
    included = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    dearer = (
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER,
    )
    words = [word for word in DESTINATIONS if len(word) == 2]
    assert {"FR", "GB", "DE", "ES", "BE", "JP"} <= set(words)
    for word in words:
        prefixes = tuple(read_prefixes(word))
        for kind in (*included, *dearer):
            number = phonenumbers.example_number_for_type(word, kind)
            if number is not None:
                digits = phonenumbers.format_number(number, 0).removeprefix("+")
                assert digits.startswith(prefixes) == (kind in included), (word, kind, digits)


def test_america_is_the_two_countries_and_not_the_islands_behind_the_same_code() -> None:
    prefixes = tuple(read_prefixes("US-CA"))
    for region in phonenumbers.region_codes_for_country_code(1):
        number = phonenumbers.example_number_for_type(region, PhoneNumberType.FIXED_LINE)
        assert number is not None
        digits = phonenumbers.format_number(number, 0).removeprefix("+")
        assert digits.startswith(prefixes) == (region in ("US", "CA")), digits
    assert not "19002345678".startswith(prefixes)


def test_the_stock_that_comes_along_is_whole() -> None:
    with AREAS.open("rb") as areas, NUMBERS.open("rb") as stock:
        assert import_areas(areas).refused == []
        result = import_numbers(stock)
    assert result.refused == []
    assert result.added_count == PhoneNumber.objects.count() == 100 * NumberArea.objects.count()
    assert {"FR", "GB", "US", "DE", "ES", "BE"} <= {area.country for area in list_areas()}
    with NUMBERS.open("rb") as stock:
        assert import_numbers(stock).already_count == result.added_count


def test_numbers_keep_their_state_and_each_row_has_its_verdict(
    rich: Member, french_number: Plan, paris: NumberArea
) -> None:
    give_number(rich, french_number, paris, rich)
    NumberArea.objects.create(country="FR", code="2", name="Nantes")
    result = numbers(
        "FR,1,+33180000000,6",
        "FR,9,+33180000010,",
        "FR,1,0180000010,",
        "FR,1,+331800,",
        "FR,1,+442079460000,",
        "FR,1,+33899123456,",
        "FR,1,+33180000020,10001",
        "FR,2,+33180000003,2",
        "FR,2,+33261910000,2",
    )
    assert counts(result) == (
        3,
        0,
        5,
        [
            (3, "unknown_area"),
            (4, "malformed_number"),
            (5, "malformed_number"),
            (6, "number_of_other_country"),
            (7, "special_number"),
            (8, "malformed_count"),
            (9, "number_of_other_area"),
        ],
    )
    assert PhoneNumber.objects.get(e164="+33180000000").state == "assigned"
    assert PhoneNumber.objects.get(e164="+33180000003").area == paris


def test_areas_take_new_names_and_rules_of_residence_in_both_languages() -> None:
    head = "country,code,name,note_en,note_fr"

    def areas(*lines: str) -> Imported:
        return import_areas(io.BytesIO("\n".join([head, *lines]).encode()))

    assert counts(areas("FR,1,Paris,,", "FR,1,Again,,", "QQ,1,Nowhere,,", "FR,a b,X,,")) == (
        1,
        0,
        0,
        [(3, "twice_in_file"), (4, "unknown_country"), (5, "malformed_code")],
    )
    assert counts(areas("FR,1,Paris,Live there.,")) == (0, 0, 0, [(2, "note_in_one_language")])
    assert counts(areas("FR,1,Paris,Live there.,Y habiter.")) == (0, 1, 0, [])
    assert counts(areas("FR,1,Paris,Live there.,Y habiter.")) == (0, 0, 1, [])
    assert NumberArea.objects.get().note_fr == "Y habiter."


def test_only_a_free_number_is_withdrawn_and_it_comes_back(
    rich: Member, french_number: Plan, paris: NumberArea
) -> None:
    given = give_number(rich, french_number, paris, rich).number
    assert given is not None
    free = PhoneNumber.objects.filter(state="free").values_list("pk", flat=True)
    everything = [given.pk, *free]
    with pytest.raises(NumberNotAvailable) as refused:
        withdraw_numbers(user=None, number_ids=everything, now=NOON)
    assert refused.value.code == "number_in_use"
    assert len(free.all()) == 4
    chosen = everything[1:3]
    assert withdraw_numbers(user=None, number_ids=chosen, now=NOON) == 2
    assert withdraw_numbers(user=None, number_ids=chosen, now=NOON) == 0
    with pytest.raises(NumberNotAvailable):
        reserve_numbers(actor=Actor.of_member(rich), area=paris, count=3, now=NOON)
    assert bring_back_numbers(user=None, number_ids=everything) == 2
    reserve_numbers(actor=Actor.of_member(rich), area=paris, count=4, now=NOON)
    given.refresh_from_db()
    assert given.state == "assigned"


def test_the_commands_tell_each_row_and_how_it_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plans, areas, stock = (tmp_path / name for name in ("plans.csv", "areas.csv", "numbers.csv"))
    plans.write_text(f"{HEAD}\n{FRANCE}\n")
    areas.write_text("country,code,name\nFR,1,Paris\n")
    stock.write_text("country,area,number\nFR,1,+33199000001\nFR,1,+33\n")
    call_command("import_plans", str(plans))
    call_command("import_numbers", "--areas", str(areas))
    with pytest.raises(SystemExit) as some:
        call_command("import_numbers", str(stock))
    assert some.value.code == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "1 added, 0 changed, 0 already there, 0 refused",
        "1 added, 0 changed, 0 already there, 0 refused",
        "1 added, 0 changed, 0 already there, 1 refused",
    ]
    assert told.err.splitlines() == ["line 3: malformed_number"]
    plans.write_text(f"{HEAD}\nfr-500,,,,,,,,,,EUR,1,,\n")
    with pytest.raises(SystemExit) as none:
        call_command("import_plans", str(plans))
    assert none.value.code == 2
    plans.write_text("name\nx\n")
    with pytest.raises(CommandError) as unreadable:
        call_command("import_plans", str(plans))
    assert unreadable.value.returncode == 2
