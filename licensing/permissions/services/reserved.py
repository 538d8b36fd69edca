"""Which reservations touch what is asked about: for the core, item by item, and as tables for `permit.sql`.

Both read the same rows: everything that was ever received, with the moments from and until which it counts. What is
asked about decides which of them are in force then. Which society received one makes no difference: whoever reserves
a place or an identifier need not know who else has registered it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.identity.core import say
from licensing.engine.core import Engine
from licensing.engine.duck import connect
from licensing.permissions import core, volume
from licensing.permissions.core import places as place_rules
from licensing.permissions.services.finding import FoundWork, Spoken, lines, rows


@dataclass(slots=True)
class Reserved:
    """The reservations that touch works, and those that touch what was said whether or not it is a registered work."""

    works: dict[int, dict[str, core.Reservation]] = field(default_factory=dict)  # work → ref → reservation
    said: dict[Spoken, dict[str, core.Reservation]] = field(default_factory=dict)

    def of_work(self, said: Spoken, work: FoundWork) -> tuple[core.Reservation, ...]:
        """Of the work, of its holders, of its identifiers and near copies, and of where it was found."""
        found = self.works.get(work.id, _NOTHING) | self.said.get(said, _NOTHING)
        return tuple(found.values())

    def of_unmatched(self, said: Spoken) -> tuple[core.Reservation, ...]:
        """Of a place or identifier that no work is registered under."""
        return tuple(self.said.get(said, _NOTHING).values())


_NOTHING: Final[dict[str, core.Reservation]] = {}


def of_items(
    *,
    works: Collection[FoundWork],
    holders: Mapping[int, Collection[int]],
    asked: Collection[Spoken],
    places: Mapping[Spoken, Sequence[str]],
) -> Reserved:
    """What is reserved of these works (with the holders of their shares), identifiers and places (each with the places
    that it lies in). A few queries, however many items.
    """
    found = Reserved()
    [standing] = rows(_KINDS, [])
    of_works, of_holders, of_places, of_identifiers, of_isccs = standing
    today = _with_merged(works)  # a reservation of a work that was merged is one of the work that survives
    if works and of_works:
        for held, work in _read(_OF_WORKS, [_listed(today)]):
            _add(found.works, today[work], held)
    if works and of_holders:
        _touching_holders(found, holders)
    if works and of_identifiers:
        for held, work in _read(_OF_WORKS_IDENTIFIERS, [_listed(today)]):
            _add(found.works, today[work], held)
    if places and of_places:
        _touching_places(found, places)
    exact = [said for said in asked if said not in places]
    if exact and of_identifiers:
        _touching_identifiers(found, exact)
    if of_isccs:
        _touching_near(found, works, exact)
    return found


def _with_merged(works: Collection[FoundWork]) -> dict[int, int]:
    """These works, and those that were merged into them → the work that survives."""
    ids = {work.id: work.id for work in works}
    return ids | dict(rows(_MERGED, [_listed(ids)]) if ids else ())


def load(engine: Engine, society_id: int | None, *, at: dt.datetime | None = None) -> None:
    """Tables `reservation` and `excepting` of `permit.sql`: all that was ever received and counts a day, as far as it may
    touch works of this society; without one, of any.

    With a moment, those in force then, on any day that is asked about.
    """
    since, until, counting = (_FROM, _TO, _A_DAY) if at is None else ("'0001-01-01'", "'9999-12-31'", _THEN)
    asked = [society_id, society_id, *([] if at is None else [at, at])]
    rows = _AS_ROWS.format(since=since, until=until, counting=counting)
    engine.take("reservation", volume.RESERVATION, rows, asked * 2)
    engine.take("excepting", volume.EXCEPTING, _AS_EXCEPTIONS.format(counting=counting), asked)


def _touching_holders(found: Reserved, holders: Mapping[int, Collection[int]]) -> None:
    theirs: dict[int, list[int]] = {}
    for work, those in holders.items():
        for holder in those:
            theirs.setdefault(holder, []).append(work)
    for held, holder in _read(_OF_HOLDERS, [_listed(theirs)]):
        for work in theirs[holder]:
            _add(found.works, work, held)


def _touching_identifiers(found: Reserved, exact: Iterable[Spoken]) -> None:
    values: dict[str, list[str]] = {}
    for scheme, value in exact:
        values.setdefault(scheme, []).append(value)
    for scheme, these in values.items():
        for held, value in _read(_OF_IDENTIFIERS, [scheme, lines(these)]):
            _add(found.said, (scheme, value), held)


def _touching_places(found: Reserved, places: Mapping[Spoken, Sequence[str]]) -> None:
    below: dict[str, list[tuple[core.Reservation, str, Sequence[str]]]] = {}
    everywhere = {place for of_one in places.values() for place in of_one}
    for held, place, pattern, excepting in _read(_PLACES, [lines(everywhere)]):
        below.setdefault(place, []).append((held, pattern, excepting))
    if not below:
        return
    for said, of_one in places.items():
        for place in below.keys() & of_one:
            for held, pattern, excepting in below[place]:
                if place_rules.speaks_below(place, pattern, excepting, said[1]):
                    _add(found.said, said, held)


def _touching_near(found: Reserved, works: Collection[FoundWork], exact: Iterable[Spoken]) -> None:
    """Near copies of reserved contents, by their ISCC."""
    carried = rows(
        "SELECT work_id, value FROM licensing_identifier WHERE scheme = 'iscc' AND work_id = ANY(%s::bigint[])",
        [_listed(work.id for work in works)],
    )
    said = [value for scheme, value in exact if scheme == "iscc"]
    if not carried and not said:
        return
    reserved: dict[str, list[core.Reservation]] = {}
    for held, code in _read(_ISCCS, []):
        reserved.setdefault(code, []).append(held)
    with connect() as engine:
        volume.near_codes(engine, {*said, *(code for _work, code in carried)}, reserved)
        near: dict[str, list[core.Reservation]] = {}
        for code, other in engine.rows("SELECT code, reserved FROM near"):
            near.setdefault(code, []).extend(reserved[other])
    for code in said:
        for held in near.get(code, ()):
            _add(found.said, ("iscc", code), held)
    for work, code in carried:
        for held in near.get(code, ()):
            _add(found.works, work, held)


def _add(to: dict[Any, dict[str, core.Reservation]], key: Any, held: core.Reservation) -> None:
    to.setdefault(key, {})[held.ref] = held


def _read(sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of a query that begins with `_COLUMNS`: each reservation as one object, and what else the query tells."""
    made: dict[int, core.Reservation] = {}
    for key, ref, uses, territory, since, until, target, name, *more in rows(sql, values):
        if key not in made:
            fact = core.Reservation(_named(target, name), tuple(uses), tuple(territory), since, until, ref)
            made[key] = fact
        yield made[key], *more


def _named(target: str, name: str) -> str:
    if target == "work":
        return say("this work")
    return say("all works of one of its holders") if target == "holder" else name


def _listed(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


_KINDS = """
SELECT EXISTS (SELECT FROM licensing_reservation WHERE work_id IS NOT NULL),
  EXISTS (SELECT FROM licensing_reservation WHERE holder_id IS NOT NULL),
  EXISTS (SELECT FROM licensing_reservation WHERE place <> ''),
  EXISTS (SELECT FROM licensing_reservation WHERE value <> ''),
  EXISTS (SELECT FROM licensing_reservation WHERE value <> '' AND scheme = 'iscc')
"""
_MERGED = "SELECT work_id, survivor_id FROM licensing_merged WHERE survivor_id = ANY(%s::bigint[])"
_COLUMNS = """r.id, r.ref, r.uses, r.territory, r.effective_from, r.ended_at, r.target,
  CASE WHEN r.place <> '' THEN CASE WHEN r.pattern = '' THEN r.place ELSE split_part(r.place, '/', 1) || r.pattern END
       ELSE r.scheme || ':' || r.value END"""
_OF_WORKS = f"""
SELECT {_COLUMNS}, r.work_id FROM licensing_reservation r
WHERE r.work_id = ANY(%s::bigint[]) AND r.effective_from IS NOT NULL ORDER BY r.id"""
_OF_HOLDERS = f"""
SELECT {_COLUMNS}, r.holder_id FROM licensing_reservation r
WHERE r.holder_id = ANY(%s::bigint[]) AND r.effective_from IS NOT NULL ORDER BY r.id"""
_OF_WORKS_IDENTIFIERS = f"""
SELECT {_COLUMNS}, i.work_id FROM licensing_identifier i
JOIN licensing_reservation r ON r.scheme = i.scheme AND r.value = i.value AND r.value <> ''
WHERE i.work_id = ANY(%s::bigint[]) AND r.effective_from IS NOT NULL ORDER BY r.id"""
_OF_IDENTIFIERS = f"""
SELECT {_COLUMNS}, r.value FROM licensing_reservation r
WHERE r.scheme = %s AND r.value = ANY(string_to_array(%s, E'\\n')) AND r.value <> '' AND r.effective_from IS NOT NULL
ORDER BY r.id"""
_PLACES = f"""
SELECT {_COLUMNS}, r.place, r.pattern, r.excepting FROM licensing_reservation r
WHERE r.place = ANY(string_to_array(%s, E'\\n')) AND r.place <> '' AND r.effective_from IS NOT NULL ORDER BY r.id"""
_ISCCS = f"""
SELECT {_COLUMNS}, r.value FROM licensing_reservation r
WHERE r.scheme = 'iscc' AND r.value <> '' AND r.effective_from IS NOT NULL ORDER BY r.id"""

# A use known by its day is reserved from the day after receipt, and still on the day of withdrawal.
_FROM = "(r.effective_from AT TIME ZONE 'Asia/Seoul')::date + 1"
_TO = "coalesce((r.ended_at AT TIME ZONE 'Asia/Seoul')::date + 1, '9999-12-31')"
_OF = (
    "(%s::bigint IS NULL OR r.society_id = %s OR r.target IN ('place', 'identifier')) AND r.effective_from IS NOT NULL"
)
_A_DAY = f"{_OF} AND {_FROM} < {_TO}"
_THEN = f"{_OF} AND r.effective_from <= %s AND (r.ended_at IS NULL OR %s < r.ended_at)"


def _like(pattern: str) -> str:
    """SQL: a pattern at the reservation `r` as `core.places.like` writes it."""
    escaped = "replace(replace(replace(split_part(r.place, '/', 1) || {0}, '!', '!!'), '%%', '!%%'), '_', '!_')"
    anchored = escaped.format(f"left({pattern}, -1)")
    loose = escaped.format(pattern)
    return (
        f"CASE WHEN right({pattern}, 1) = '$' THEN replace({anchored}, '*', '%%')"
        f" ELSE replace({loose}, '*', '%%') || '%%' END"
    )


_SAID = "'|' || array_to_string(r.uses, '|') || '|', '|' || array_to_string(r.territory, '|') || '|'"
_AS_ROWS = f"""
SELECT r.id, coalesce(m.survivor_id, r.work_id), r.holder_id, nullif(r.place, ''), CASE WHEN r.pattern <> '' THEN {_like("r.pattern")} END,
  CASE WHEN r.value <> '' THEN r.scheme END, nullif(r.value, ''), {_SAID}, {{since}}, {{until}}
FROM licensing_reservation r LEFT JOIN licensing_merged m ON m.work_id = r.work_id WHERE {{counting}}
UNION ALL
SELECT r.id, coalesce(m.survivor_id, i.work_id), NULL, NULL, NULL, NULL, NULL, {_SAID}, {{since}}, {{until}}
FROM licensing_reservation r
JOIN licensing_identifier i ON i.scheme = r.scheme AND i.value = r.value
LEFT JOIN licensing_merged m ON m.work_id = i.work_id
WHERE r.value <> '' AND {{counting}}"""
_AS_EXCEPTIONS = f"""
SELECT r.id, {_like("e.pattern")} FROM licensing_reservation r CROSS JOIN unnest(r.excepting) e(pattern)
WHERE r.place <> '' AND {{counting}}"""
