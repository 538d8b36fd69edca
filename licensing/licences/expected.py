"""How much use a firm expects in one billing period, as it wrote it, checked. Pure."""

from __future__ import annotations

from typing import Any, Final

from accounts.identity.core import gettext_noop
from licensing import terms
from licensing.tariffs.core import Quantity
from licensing.tariffs.reading import BadDocument, Reader, escaped

MOST_UNITS: Final = 10**15 - 1
MOST_ROWS: Final = 200
MOST_BASES: Final = 50
_KEYS: Final = ("use", "kind", "unit", "units")
_SUMMARY: Final = gettext_noop("These figures cannot be used. Problems found: {count}.")


def read(quantities: Any, bases: Any) -> tuple[tuple[Quantity, ...], dict[str, int]]:
    """`[{use, kind, unit, units, works}]` and `{name: number}`; raises BadDocument with every problem and its pointer."""
    reader = Reader()
    rows = reader.list(quantities, "/quantities", most=MOST_ROWS) if quantities else []
    found = [_quantity(reader, row, f"/quantities/{n}") for n, row in enumerate(rows or [])]
    named = _bases(reader, bases)
    if reader.problems:
        raise BadDocument("invalid_figures", _SUMMARY, reader.problems)
    return _summed([each for each in found if each]), named


def as_rows(quantities: tuple[Quantity, ...]) -> list[dict[str, Any]]:
    """As a request or quote keeps them."""
    return [
        {"use": each.use, "kind": each.kind, "unit": each.unit, "units": each.units, "works": each.works}
        for each in quantities
    ]


def _quantity(reader: Reader, row: Any, pointer: str) -> Quantity | None:
    body = reader.object(row, pointer, required=_KEYS, optional=("works",))
    if body is None:
        return None
    use = reader.choice(body.get("use"), f"{pointer}/use", terms.USES)
    kind = reader.choice(body.get("kind"), f"{pointer}/kind", terms.KINDS)
    unit = reader.choice(body.get("unit"), f"{pointer}/unit", terms.UNITS)
    units = reader.integer(body.get("units"), f"{pointer}/units", least=0, most=MOST_UNITS)
    works = reader.integer(body.get("works", 0), f"{pointer}/works", least=0, most=MOST_UNITS)
    if not (use and kind and unit) or units is None or works is None:
        return None
    return Quantity(use, kind, unit, units, works)


def _bases(reader: Reader, bases: Any) -> dict[str, int]:
    body = {} if bases is None else bases
    if not isinstance(body, dict):
        reader.fail("/bases", "not_an_object", gettext_noop("Write an object in braces here."))
        return {}
    if len(body) > MOST_BASES:
        reader.fail("/bases", "too_many", gettext_noop("At most {most} entries are allowed here."), most=MOST_BASES)
        return {}
    found = {}
    for name, value in body.items():
        pointer = f"/bases/{escaped(str(name))}"
        reader.text(name, pointer, most=100)
        found[str(name)] = reader.integer(value, pointer, least=0, most=MOST_UNITS) or 0
    return found


def _summed(found: list[Quantity]) -> tuple[Quantity, ...]:
    """One row a use, kind and unit; rows without anything are left out."""
    sums: dict[tuple[str, str, str], tuple[int, int]] = {}
    for each in found:
        key = (each.use, each.kind, each.unit)
        units, works = sums.get(key, (0, 0))
        sums[key] = units + each.units, works + each.works
    return tuple(Quantity(*key, *sums[key]) for key in sorted(sums) if any(sums[key]))
