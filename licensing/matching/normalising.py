"""Normalises distinct identifiers in volume: in SQL where that is certain, in Python where it is not.

`normalise.sql` answers only for spellings of which it is sure, with the answer of `repertoire.identifiers.normalise`;
everything else, and every refusal with its reason, comes from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from licensing.engine.core import Engine
from licensing.matching.core import title_key
from licensing.repertoire.identifiers import BadIdentifier, normalise

NORMALISE: Final = Path(__file__).with_name("normalise.sql")
_LONGEST: Final = 2048  # bytes in UTF-8: what an index holds
_TEXT: Final = "VARCHAR"


def spell(engine: Engine) -> None:
    """From `strange(scheme, identifier)` the view `spelled(scheme, identifier, value, problem)`."""
    engine.run(NORMALISE)
    unsure = (
        (scheme, identifier, *_normalised(scheme, identifier))
        for rows in engine.stream("SELECT scheme, identifier FROM certain WHERE value IS NULL")
        for scheme, identifier in rows
    )
    columns = {"scheme": _TEXT, "identifier": _TEXT, "value": _TEXT, "problem": _TEXT}
    engine.table("doubtful", columns, unsure)
    engine.execute(
        """CREATE OR REPLACE VIEW spelled AS SELECT scheme, identifier, value, problem FROM doubtful
        UNION ALL SELECT scheme, identifier, value, NULL FROM certain WHERE value IS NOT NULL"""
    )


def title(engine: Engine) -> None:
    """From `named(title, creators)` the table `titled(title, creators, value, problem)`."""
    columns = {"title": _TEXT, "creators": _TEXT, "value": _TEXT, "problem": _TEXT}
    engine.table("titled", columns, _titles(engine))


def _normalised(scheme: str, identifier: str) -> tuple[str | None, str | None]:
    try:
        return normalise(scheme, identifier), None
    except BadIdentifier as error:
        return None, f"identifier: {error}"


def _titles(engine: Engine) -> Iterator[tuple[Any, ...]]:
    for rows in engine.stream("SELECT title, creators FROM named"):
        for name, creators in rows:
            key = title_key(name, creators or "")
            long = len(key.encode()) > _LONGEST
            yield name, creators, None if long else key, "title: the title is too long" if long else None
