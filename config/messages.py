"""Message catalogues without the gettext programs: find what is to be translated, bring a `.po` up to date, compile it.

python -m config.messages             compile every `.po` below config/locale to the `.mo` that Django reads
python -m config.messages FILE.po …   compile these
python -m config.messages --update    add what the sources say now to each `.po`, drop what they no longer say
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

LOCALE = Path(__file__).resolve().parent / "locale"
ROOT = LOCALE.parent.parent
APPS = ("accounts", "config", "licensing", "royalties")

# The functions that mark a text. `say` is that of the pure floors (`accounts.identity.core`).
MARKS: Final = (
    "_", "gettext", "gettext_lazy", "gettext_noop", "say", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy",
    "npgettext", "npgettext_lazy",
)  # fmt: skip


def sources() -> Iterator[Path]:
    """Every file of the product that can hold a text for people: Python and templates."""
    for app in APPS:
        yield from sorted((ROOT / app).rglob("*.py"))
        yield from sorted((ROOT / app).rglob("templates/**/*.html"))
        yield from sorted((ROOT / app).rglob("templates/**/*.txt"))


def marked() -> Catalog:
    """All texts that the sources mark for translation, each with the files that hold it."""
    found = Catalog()
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        for line, function, said, _comments in extract_python(_python(path), dict.fromkeys(MARKS), (), {}):
            parts = list(said) if isinstance(said, tuple | list) else [said]
            context = parts.pop(0) if "pgettext" in function else None
            if not parts or not parts[0]:
                continue  # a variable: what it can hold is marked where it is written
            plural = "ngettext" in function or "npgettext" in function
            text = (parts[0], parts[1]) if plural else parts[0]
            found.add(text, locations=[(place, line)], context=context)
    return found


def _python(path: Path) -> io.BytesIO:
    """A source as Python; of a template, its texts as calls, as Django's own makemessages sees them."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        text = "\n".join(line.strip() for line in templatize(text, origin=str(path)).splitlines())
    return io.BytesIO(text.encode())


def update_catalogue(source: Path) -> Path:
    """Bring one catalogue up to date. New texts stand empty; nothing is guessed from texts that read alike."""
    catalogue = _read(source)
    catalogue.update(marked(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    with source.open("wb") as stream:
        write_po(stream, catalogue, width=120, sort_by_file=True, include_lineno=False)
    return source


def compile_catalogue(source: Path) -> Path:
    """Compile one catalogue beside its source; returns the path written. Raises PoFileError where it cannot be read."""
    target = source.with_suffix(".mo")
    draft = target.with_suffix(".mo.new")
    catalogue = _read(source)
    with draft.open("wb") as stream:
        write_mo(stream, catalogue)
    return draft.replace(target)


def _read(source: Path) -> Catalog:
    with source.open("rb") as stream:
        return read_po(stream, locale=source.parent.parent.name, abort_invalid=True)


def main(arguments: list[str]) -> None:
    """Compile, or update, the named catalogues, or all of `config/locale`."""
    work = update_catalogue if "--update" in arguments else compile_catalogue
    named = [Path(argument) for argument in arguments if argument != "--update"]
    for source in named or sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        work(source)


if __name__ == "__main__":
    main(sys.argv[1:])
