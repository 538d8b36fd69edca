"""From what is asked about to the works that it means: identifiers normalised, looked up in one query for all of them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection

from accounts.identity.core import Actor, say
from licensing.matching import core as matching
from licensing.permissions import core
from licensing.repertoire.identifiers import BadIdentifier, normalise
from licensing.repertoire.identifiers.web import is_public_suffix


class Item(NamedTuple):
    """One work that is asked about: by identifier, or by title where it has none."""

    scheme: str = ""
    value: str = ""
    title: str = ""
    creators: str = ""


class FoundWork(NamedTuple):
    """The registered work that an item means."""

    id: int
    society_id: int
    society: str
    ref: str
    title: str
    kind: str
    protected_until: dt.date | None


# An item as scheme and normalised value; a title in the spelling by which declared titles are told apart, too.
Spoken = tuple[str, str]


def read(item: Item) -> Spoken | core.Reason:
    """What an item says in its normal form, or why it says nothing."""
    if item.value:
        try:
            return item.scheme, normalise(item.scheme, item.value)
        except BadIdentifier as error:
            return core.Reason("bad_identifier", str(error))
    if not item.title.strip():
        return core.Reason("no_identifier", say("Give an identifier, or a title."))
    return "title", matching.title_key(item.title, item.creators)


def places_of(asked: Iterable[Spoken]) -> dict[Spoken, list[str]]:
    """Every place that each web location lies in, the most specific first."""
    return {
        spoken: list(matching.places(spoken[1], is_suffix=is_public_suffix))
        for spoken in asked
        if spoken[0] in matching.WEB
    }


# A lookup a row, through the index: for so many rows at once the planner would rather read the whole register. No
# normalised identifier holds a line break.
_REGISTERED = """
SELECT i.scheme, i.value, i.id, i.society_id, o.ref, i.ref, i.title, i.kind, i.protected_until
FROM (
  SELECT * FROM unnest(string_to_array(%s, E'\\n'), string_to_array(%s, E'\\n'))
  UNION ALL
  SELECT web.scheme, p.place FROM unnest(string_to_array(%s, E'\\n')) p(place), (VALUES ('domain'), ('url')) web(scheme)
) q(scheme, value)
CROSS JOIN LATERAL (
  SELECT i.scheme, i.value, i.society_id, w.id, w.ref, w.title, w.kind, w.protected_until
  FROM licensing_identifier i JOIN licensing_work w ON w.id = i.work_id
  WHERE i.scheme = q.scheme AND i.value = q.value AND (%s OR i.society_id = %s)
  OFFSET 0
) i
JOIN accounts_organisation o ON o.id = i.society_id
ORDER BY i.society_id"""


def works_of(
    actor: Actor, asked: Iterable[Spoken], places: Mapping[Spoken, Sequence[str]]
) -> dict[Spoken, list[FoundWork]]:
    """The works, at most one a society, that each identifier finds. A society looks in its own register alone."""
    exact = [spoken for spoken in asked if spoken not in places and spoken[0] != "title"]
    everywhere = {place for of_one in places.values() for place in of_one}
    if not exact and not everywhere:
        return {}
    registers: dict[int, dict[Spoken, int]] = defaultdict(dict)
    works: dict[int, FoundWork] = {}
    for scheme, value, *work in rows(
        _REGISTERED,
        [
            lines(scheme for scheme, _value in exact),
            lines(value for _scheme, value in exact),
            lines(everywhere),
            not actor.is_society,
            actor.organisation_id,
        ],
    ):
        made = FoundWork._make(work)
        works[made.id] = made
        registers[made.society_id][scheme, value] = made.id
    found: dict[Spoken, list[FoundWork]] = {}
    for register in registers.values():
        for spoken in exact:
            if (work_id := register.get(spoken)) is not None:
                found.setdefault(spoken, []).append(works[work_id])
        if everywhere:
            registered = {value for scheme, value in register if scheme in matching.WEB}
            for spoken, of_one in places.items():
                if not registered.isdisjoint(of_one):
                    nearest = matching.nearest_of(*spoken, of_one, register)
                    found.setdefault(spoken, []).append(works[nearest])  # type: ignore[index]
    return found


def lines(texts: Iterable[str]) -> str | None:
    """Many texts as one parameter, for `string_to_array`; none as NULL."""
    return "\n".join(texts) or None


def rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
