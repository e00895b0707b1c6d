"""What the cells of a bank's statement say: the columns, days, amounts.

Its one rule: a cell that could be read in two ways is refused with its column, never guessed.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from skypemgr.lib.amounts import currency_places, parse_typed_amount
from skypemgr.lib.tables import UnreadableTable
from skypemgr.lib.text import search_key

HEADER_WITHIN = 20
OLDEST = date(2000, 1, 1)
DAYS_AHEAD = 31

DATES = (
    "date operation",
    "date d operation",
    "date de l operation",
    "date comptable",
    "date de comptabilisation",
    "booking date",
    "transaction date",
    "posting date",
    "entry date",
    "date",
    "day",
    "jour",
    "value date",
    "date valeur",
    "date de valeur",
)
AMOUNTS = (
    "credit",
    "credits",
    "montant credit",
    "credit amount",
    "paid in",
    "money in",
    "amount",
    "montant",
    "montant de l operation",
    "montant operation",
    "somme",
)
DEBITS = ("debit", "debits", "montant debit", "debit amount", "paid out", "money out")
SIDES = ("sens", "direction", "debit credit", "d c", "dc", "credit debit indicator", "side")
OUT_WORDS = frozenset({"d", "db", "dbit", "dr", "debit", "out", "-"})
IN_WORDS = frozenset({"c", "cr", "crdt", "credit", "in", "+", ""})
CURRENCIES = ("currency", "devise", "ccy", "monnaie")
# Nothing that names a payment; and a balance would make two equal exports differ.
LEFT_OUT = ("solde", "balance", "solde apres operation", "running balance", *DATES)
_UNITS = re.compile(r"\((?:[a-z]{3})\)$|\b(?:eur|euros?|en euros?)$")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "janv", "january", "janvier"),
            ("feb", "fevr", "fev", "february", "fevrier"),
            ("mar", "mars", "march"),
            ("apr", "avr", "april", "avril"),
            ("may", "mai"),
            ("jun", "june", "juin"),
            ("jul", "juil", "july", "juillet"),
            ("aug", "aout", "august"),
            ("sep", "sept", "september", "septembre"),
            ("oct", "october", "octobre"),
            ("nov", "november", "novembre"),
            ("dec", "december", "decembre"),
        ),
        start=1,
    )
    for name in names
}
_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[T ].*)?")
_NUMBERS = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4}|[0-9]{2})(?: .*)?")
_DAY_FIRST = re.compile(r"([0-9]{1,2})(?:er|st|nd|rd|th)?[ .-]+([a-z]+)[ .,-]+([0-9]{4})")
_MONTH_FIRST = re.compile(r"([a-z]+)[ .-]+([0-9]{1,2})(?:st|nd|rd|th)?[ .,-]+([0-9]{4})")
_ENGLISH = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+")
_GERMAN = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")
# Four decimals and more cannot be thousands; banks pad with noughts.
_PADDED = re.compile(r"(.*[.,][0-9]{2})00+")
_MINUS = "-\u2212\u2013"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row what stands; ``header`` is the number of rows before the first payment.

    ``currency`` and ``side`` (in or out) may be missing; all other columns but days, balances and
    money out name the payment together.
    """

    header: int
    names: tuple[str, ...]
    day: int
    amount: int
    currency: int | None
    side: int | None
    label: tuple[int, ...]


def find_columns(rows: Sequence[Sequence[str]]) -> Columns:
    """The columns, by the first row that names a day and an amount; banks write their own lines
    above it. Raises UnreadableTable (``missing_columns``).
    """
    best: list[str] = []
    for number, row in enumerate(rows[:HEADER_WITHIN]):
        names = [_plain(name) for name in row]
        day, amount = _first(DATES, names), _first(AMOUNTS, names)
        currency, side = _first(CURRENCIES, names), _first(SIDES, names)
        taken = {day, amount, currency, side, _first(DEBITS, names)}
        label = tuple(
            at for at, name in enumerate(names) if at not in taken and name and name not in LEFT_OUT
        )
        if day is not None and amount is not None and label:
            shown = tuple(name.strip() for name in row)
            return Columns(number, shown, day, amount, currency, side, label)
        missing = [
            word
            for word, found in (("date", day), ("amount", amount), ("label", label or None))
            if found is None
        ]
        best = missing if not best or len(missing) < len(best) else best
    raise UnreadableTable(
        _(
            "The first line must name the columns, for example date;amount;label. Missing:"
            " %(columns)s."
        )
        % {"columns": ", ".join(best) or "date, amount, label"},
        field="file",
        code="missing_columns",
    )


def months_come_first(days: Iterable[str]) -> bool:
    """Whether the column writes the month before the day, which one day past the 12th shows;
    without any it does not.
    """
    return any(match and int(match[2]) > 12 for match in map(_NUMBERS.fullmatch, days))


def read_day(text: str, *, month_first: bool, today: date) -> date:
    """The day that is written; ValidationError when it is none, before 2000, or a month ahead."""
    written = search_key(text)
    if match := _ISO.fullmatch(written.upper()):
        year, month, day = (int(part) for part in match.groups())
    elif match := _NUMBERS.fullmatch(written):
        day, month, year = (int(part) for part in match.groups())
        day, month = (month, day) if month_first else (day, month)
        year += 2000 if year < 100 else 0
    elif match := _DAY_FIRST.fullmatch(written):
        day, month, year = int(match[1]), _MONTHS.get(match[2], 0), int(match[3])
    elif match := _MONTH_FIRST.fullmatch(written):
        day, month, year = int(match[2]), _MONTHS.get(match[1], 0), int(match[3])
    else:
        raise ValidationError(_("This is not a date, such as 2026-11-22 or 22/11/2026."))
    try:
        read = date(year, month, day)
    except ValueError as error:
        raise ValidationError(_("There is no such day.")) from error
    if read < OLDEST or read > today + timedelta(days=DAYS_AHEAD):
        raise ValidationError(_("This day is too long ago or too far ahead."))
    return read


def read_amount(text: str, currency: str) -> Decimal | None:
    """The money that came in; None when the cell is empty, nought, or says that money went out.
    Raises ValidationError.
    """
    written = re.sub(r"(?i)^(eur|€)\s*|\s*(eur|€|euros?)$", "", text.strip()).strip()
    if not written or written in _MINUS:
        return None
    is_out = written[0] in _MINUS or written[-1] in _MINUS
    is_out = is_out or (written[0] == "(" and written[-1] == ")")
    bare = written.strip(f"{_MINUS}+() ")
    if _ENGLISH.fullmatch(bare):
        bare = bare.replace(",", "")
    elif _GERMAN.fullmatch(bare):
        bare = bare.replace(".", "")
    if match := _PADDED.fullmatch(bare):
        bare = match[1]
    amount = parse_typed_amount(bare, places=currency_places(currency), zero_allowed=True)
    return None if is_out or amount == 0 else amount


def is_outgoing(text: str) -> bool:
    """Whether the word for the side says that money went out; ValidationError if it is none."""
    word = search_key(text)
    if word in OUT_WORDS:
        return True
    if word not in IN_WORDS:
        raise ValidationError(_("Write C for money in and D for money out."))
    return False


def read_currency(text: str, default: str) -> str:
    """The currency's three letters; the account's own when the cell is empty."""
    written = text.strip().upper() or default
    if written == "€":
        return "EUR"
    if not re.fullmatch("[A-Z]{3}", written):
        raise ValidationError(_("This is not a currency, such as EUR."))
    return written


def _plain(name: str) -> str:
    words = " ".join(re.sub(r"[^a-z0-9()]+", " ", search_key(name)).split())
    return _UNITS.sub("", words).strip()


def _first(wanted: Sequence[str], names: Sequence[str]) -> int | None:
    """The place of the best of the wanted names."""
    return next((names.index(name) for name in wanted if name in names), None)
