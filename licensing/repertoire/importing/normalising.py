"""Identifiers of a whole file in normal form: each distinct text once."""

from __future__ import annotations

from collections.abc import Iterator

from licensing.engine.core import Engine
from licensing.repertoire.identifiers import BadIdentifier, normalise


def normalised(engine: Engine, query: str, *, into: str) -> None:
    """Make the table (scheme, text, value, reason) of a query's distinct texts; either value or reason is NULL."""
    columns = {"scheme": "VARCHAR", "text": "VARCHAR", "value": "VARCHAR", "reason": "VARCHAR"}
    engine.table(into, columns, _each(engine, query))


def _each(engine: Engine, query: str) -> Iterator[tuple[str, str, str | None, str | None]]:
    for rows in engine.stream(query):
        for scheme, text in rows:
            try:
                yield scheme, text, normalise(scheme, text), None
            except BadIdentifier as bad:
                yield scheme, text, None, bad.reason
