"""The translations: complete, compiled, with every text of the code (`--collect` sees to it).

Its one rule: no gettext programs are needed, Babel reads what Django's own templatize shows it.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from tests.checks.tree import PROJECT, tracked_files

LANGUAGES = ("fr",)
FOLDERS = ("skypemgr", "members", "credit", "billing", "templates")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def catalog_file(language: str) -> Path:
    """Where the translations into a language are written down."""
    return PROJECT / "locale" / language / "LC_MESSAGES" / "django.po"


def python_of(path: Path) -> str:
    """A source file as Python in which every text to translate stands in a call."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return source
    # Lines of a template are not indented as Python's would be; the calls are each on one line.
    return "\n".join(line.lstrip() for line in templatize(source, origin=str(path)).splitlines())


def collect() -> Catalog:
    """Every text of the code and the templates."""
    found = Catalog(charset="utf-8")
    for path in sorted(tracked_files()):
        place = path.relative_to(PROJECT)
        if place.parts[0] not in FOLDERS or path.suffix not in {".py", ".html", ".txt"}:
            continue
        source = io.BytesIO(python_of(path).encode())
        rows = extract("python", source, KEYWORDS, ("Translators:",), {"encoding": "utf-8"})
        for _line, text, comments, context in rows:
            found.add(text, locations=[(str(place), 0)], auto_comments=comments, context=context)
    return found


def read(path: Path, language: str) -> Catalog:
    """The catalog as it stands, an empty one where there is none yet."""
    if not path.exists():
        return Catalog(locale=language, project="skypemgr", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    """What the program reads at run time."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def texts(catalog: Catalog) -> dict[tuple[str, str], Message]:
    """The messages by context and text, without the header."""
    found = {}
    for message in catalog:
        first = message.id if isinstance(message.id, str) else message.id[0]
        if first:
            found[message.context or "", first] = message
    return found


def is_complete(message: Message) -> bool:
    """Whether every form of the text has a translation."""
    parts = message.string if isinstance(message.string, tuple | list) else [message.string]
    return bool(parts) and all(parts)


def complaints(language: str) -> Iterator[str]:
    """What is wrong with the translations into a language."""
    path = catalog_file(language)
    place = path.relative_to(PROJECT)
    catalog = read(path, language)
    have, want = texts(catalog), texts(collect())
    for key in want.keys() - have.keys():
        yield f"{place}: is missing {key[1]!r}"
    for key in have.keys() - want.keys():
        yield f"{place}: nothing says {key[1]!r} any more"
    for (_context, text), message in have.items():
        if message.fuzzy:
            yield f"{place}: is unsure of {text!r}"
        elif not is_complete(message):
            yield f"{place}: does not translate {text!r}"
        for error in message.check(catalog):
            yield f"{place}: {text!r}: {error}"
    binary = path.with_suffix(".mo")
    if not binary.exists() or binary.read_bytes() != compiled(catalog):
        yield f"{binary.relative_to(PROJECT)}: is not what {path.name} says"


def update(language: str) -> None:
    """The catalog holds the texts of the code, its translations are kept, and it is compiled."""
    path = catalog_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalog = read(path, language)
    catalog.update(collect(), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, catalog, width=100, include_lineno=False, sort_by_file=True)
    # Compiled from what was written, so that the check below reads the same.
    path.with_suffix(".mo").write_bytes(compiled(read(path, language)))


def main(arguments: list[str]) -> int:
    """0 if the translations are complete and compiled."""
    if "--collect" in arguments:
        for language in LANGUAGES:
            update(language)
    found = [line for language in LANGUAGES for line in complaints(language)]
    print("\n".join(found) if found else "Every text is translated.")
    if found:
        print("`make messages` collects the texts and compiles the translations.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
