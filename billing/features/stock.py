"""Keeps the stock of numbers and its areas. Its one rule: a number that is there keeps its state,
whatever a file says, and only a free one is withdrawn.
"""

import logging
import re
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import BinaryIO

import phonenumbers
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import ngettext
from phonenumbers import PhoneNumberType

from billing.errors import NumberNotAvailable
from billing.features.catalogue import DATA, MOST_ROWS, Imported, hold_catalogue
from billing.models import NumberArea, PhoneNumber
from members.countries import COUNTRIES
from members.models import User
from skypemgr.lib.periods import utc_now
from skypemgr.lib.tables import read_rows

logger = logging.getLogger(__name__)

AREAS = DATA / "number_areas.csv"
NUMBERS = DATA / "numbers.csv"
AREA_COLUMNS = ("country", "code", "name")
AREA_OPTIONAL = ("note_en", "note_fr", "position")
NUMBER_COLUMNS = ("country", "area", "number")
AREA_CODE = re.compile(r"[A-Za-z0-9-]{1,10}")
E164 = re.compile(r"\+[1-9][0-9]{1,14}")
MOST_IN_A_ROW = 10_000
STORED_AT_ONCE = 2_000
GIVEN_TO_PEOPLE = frozenset(
    (
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.VOIP,
    )
)
State = PhoneNumber.State


def list_areas(country: str = "") -> QuerySet[NumberArea]:
    """The areas, of one country if named, in the catalogue's order; ``has_free`` says whether a
    number is free there.
    """
    free = PhoneNumber.objects.filter(area=OuterRef("pk"), state=State.FREE)
    areas = NumberArea.objects.filter(country=country) if country else NumberArea.objects.all()
    return areas.annotate(has_free=Exists(free)).order_by("country", "position", "code")


def import_areas(file: BinaryIO) -> Imported:
    """The file's good rows are areas with these names and rules of residence; others stay as they
    are. Raises UnreadableTable for a file that is no table.
    """
    rows = list(read_rows(file, columns=AREA_COLUMNS, optional=AREA_OPTIONAL, limit=MOST_ROWS))
    result = Imported()
    with transaction.atomic():
        hold_catalogue()
        areas = {(area.country, area.code): area for area in NumberArea.objects.all()}
        seen: set[tuple[str, str]] = set()
        for place, (line, row) in enumerate(rows, 1):
            try:
                area = _read_area(row, place)
                if (area.country, area.code) in seen:
                    raise ValueError("twice_in_file")
            except ValueError as error:
                result.refused.append((line, str(error)))
                continue
            seen.add((area.country, area.code))
            known = areas.get((area.country, area.code))
            if known is None:
                area.save(force_insert=True)
                result.added_count += 1
            elif _change_area(known, area, row):
                result.changed_count += 1
            else:
                result.already_count += 1
    return result


def import_numbers(file: BinaryIO) -> Imported:
    """The numbers of the file's good rows are in the stock, new ones free. A row is one number in
    E.164, or with ``count`` that many one after the other; it is refused whole if one of them is
    no number of the country, or is there in another area. Raises UnreadableTable.
    """
    limit = settings.MAX_IMPORT_ROWS
    rows = read_rows(file, columns=NUMBER_COLUMNS, optional=("count",), limit=limit)
    areas = {(area.country, area.code): area for area in NumberArea.objects.all()}
    result, waiting = Imported(), _Waiting()
    for line, row in rows:
        try:
            area = areas.get((row["country"].upper(), row["area"]))
            if area is None:
                raise ValueError("unknown_area")
            waiting.add(line, area.pk, _read_numbers(row, area.country))
        except ValueError as error:
            result.refused.append((line, str(error)))
            continue
        if waiting.count >= STORED_AT_ONCE:
            waiting.store(result)
    waiting.store(result)
    result.refused.sort()
    return result


def withdraw_numbers(
    *, user: User | None, number_ids: Collection[int], now: datetime | None = None
) -> int:
    """The free ones of these numbers are not given any more; how many were withdrawn.

    All or nothing: NumberNotAvailable (``number_in_use``) if one is given, chosen or at rest.
    """
    at = now or utc_now()
    with transaction.atomic():
        numbers = _lock(number_ids)
        ended = Q(state=State.RESERVED, reserved_until__lte=at)
        free = set(
            PhoneNumber.objects.filter(pk__in=[each.pk for each in numbers])
            .filter(Q(state__in=(State.FREE, State.WITHDRAWN)) | ended)
            .values_list("pk", flat=True)
        )
        used = [each for each in numbers if each.pk not in free]
        if used:
            raise NumberNotAvailable(
                ngettext(
                    "%(number)s is given, chosen or at rest. Only a free number can be withdrawn.",
                    "%(count)s numbers are given, chosen or at rest, such as %(number)s. Only free"
                    " numbers can be withdrawn.",
                    len(used),
                )
                % {"count": len(used), "number": used[0].e164},
                code="number_in_use",
            )
        count = (
            PhoneNumber.objects.filter(pk__in=free)
            .exclude(state=State.WITHDRAWN)
            .update(state=State.WITHDRAWN, reserved_for=None, reserved_by=None, reserved_until=None)
        )
    logger.info("numbers_withdrawn", extra={"count": count, "user": user.pk if user else None})
    return count


def bring_back_numbers(*, user: User | None, number_ids: Collection[int]) -> int:
    """The withdrawn ones of these numbers are free again; how many."""
    with transaction.atomic():
        _lock(number_ids)
        count = PhoneNumber.objects.filter(pk__in=number_ids, state=State.WITHDRAWN).update(
            state=State.FREE
        )
    logger.info("numbers_brought_back", extra={"count": count, "user": user.pk if user else None})
    return count


class _Waiting:
    """Numbers that were read and are not stored yet, by row."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, list[str]]] = []
        self.count = 0

    def add(self, line: int, area_id: int, numbers: list[str]) -> None:
        """The row waits."""
        self.rows.append((line, area_id, numbers))
        self.count += len(numbers)

    def store(self, result: Imported) -> None:
        """All that waited is stored or refused; none waits."""
        wanted = {number for _line, _area, numbers in self.rows for number in numbers}
        with transaction.atomic():
            area_of = dict(
                PhoneNumber.objects.filter(e164__in=wanted).values_list("e164", "area_id")
            )
            new: list[PhoneNumber] = []
            for line, area_id, numbers in self.rows:
                if any(area_of.get(number, area_id) != area_id for number in numbers):
                    result.refused.append((line, "number_of_other_area"))
                    continue
                added = [number for number in numbers if number not in area_of]
                area_of |= dict.fromkeys(added, area_id)
                new += [PhoneNumber(e164=number, area_id=area_id) for number in added]
                result.added_count += len(added)
                result.already_count += len(numbers) - len(added)
            # Another import may have stored one meanwhile.
            PhoneNumber.objects.bulk_create(new, batch_size=2000, ignore_conflicts=True)
        self.rows, self.count = [], 0


def _lock(number_ids: Collection[int]) -> list[PhoneNumber]:
    return list(
        PhoneNumber.objects.filter(pk__in=number_ids)
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
    )


def _change_area(known: NumberArea, wanted: NumberArea, row: dict[str, str]) -> bool:
    names = [name for name in ("name", *AREA_OPTIONAL) if name in row]
    changed = [name for name in names if getattr(known, name) != getattr(wanted, name)]
    for name in changed:
        setattr(known, name, getattr(wanted, name))
    if changed:
        known.save(update_fields=changed)
    return bool(changed)


def _read_area(row: dict[str, str], place: int) -> NumberArea:
    country, position = row["country"].upper(), row.get("position", "")
    if country not in COUNTRIES:
        raise ValueError("unknown_country")
    if not AREA_CODE.fullmatch(row["code"]):
        raise ValueError("malformed_code")
    if not 0 < len(row["name"]) <= 100:
        raise ValueError("name_too_long" if row["name"] else "missing_name")
    note_en, note_fr = row.get("note_en", ""), row.get("note_fr", "")
    if bool(note_en) != bool(note_fr):
        raise ValueError("note_in_one_language")
    if position and not (position.isascii() and position.isdigit() and len(position) < 7):
        raise ValueError("malformed_position")
    return NumberArea(
        country=country,
        code=row["code"],
        name=row["name"],
        note_en=note_en,
        note_fr=note_fr,
        position=int(position) if position else place,
    )


def _read_numbers(row: dict[str, str], country: str) -> list[str]:
    text, count = row["number"], row.get("count", "") or "1"
    if not E164.fullmatch(text):
        raise ValueError("malformed_number")
    if not (count.isascii() and count.isdigit() and 0 < int(count[:9]) <= MOST_IN_A_ROW):
        raise ValueError("malformed_count")
    return list(_follow(int(text), int(count), country))


def _follow(first: int, count: int, country: str) -> Iterator[str]:
    for digits in range(first, first + count):
        text = f"+{digits}"
        try:
            number = phonenumbers.parse(text, None)
        except phonenumbers.NumberParseException as error:
            raise ValueError("malformed_number") from error
        if not phonenumbers.is_valid_number(number) or E164.fullmatch(text) is None:
            raise ValueError("malformed_number")
        if phonenumbers.region_code_for_number(number) != country:
            raise ValueError("number_of_other_country")
        if phonenumbers.number_type(number) not in GIVEN_TO_PEOPLE:
            raise ValueError("special_number")
        yield text
