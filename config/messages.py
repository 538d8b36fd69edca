"""`python -m config.messages FILE.po …`: compile message catalogues (`.po` → `.mo`) without the gettext programs."""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent / "locale"


def compile_catalogue(source: Path) -> Path:
    """Compile one catalogue beside its source; returns the path written. Raises PoFileError where it cannot be read."""
    target = source.with_suffix(".mo")
    draft = target.with_suffix(".mo.new")
    with source.open("rb") as stream:
        catalogue = read_po(stream, locale=source.parent.parent.name, abort_invalid=True)
    with draft.open("wb") as stream:
        write_mo(stream, catalogue)
    return draft.replace(target)


def main(arguments: list[str]) -> None:
    """Compile the named catalogues, or all of `config/locale`."""
    for source in map(Path, arguments) if arguments else sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        compile_catalogue(source)


if __name__ == "__main__":
    main(sys.argv[1:])
