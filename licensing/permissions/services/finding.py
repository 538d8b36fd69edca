"""From what is asked about to the works that it means: identifiers normalised, looked up in one query for all of them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection, transaction

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


_LONGEST_KEY = 2048  # bytes, as of declared titles

# An item as scheme and normalised value; a title in the spelling by which declared titles are told apart, too.
Spoken = tuple[str, str]


def read(item: Item) -> Spoken | core.Reason:
    """What an item says in its normal form, or why it says nothing."""
    if item.value:
        try:
            return item.scheme, normalise(item.scheme, item.value)
        except BadIdentifier as error:
            return core.Reason("bad_identifier", say(error.reason))
    if not item.title.strip():
        return core.Reason("no_identifier", say("Give an identifier, or a title."))
    key = matching.title_key(item.title, item.creators)
    if len(key.encode()) > _LONGEST_KEY:
        return core.Reason("bad_title", say("the title is too long"))
    return "title", key


def places_of(asked: Iterable[Spoken]) -> dict[Spoken, list[str]]:
    """Every place that each web location lies in, the most specific first."""
    return {
        spoken: list(matching.places(spoken[1], is_suffix=is_public_suffix))
        for spoken in asked
        if spoken[0] in matching.WEB
    }


# No normalised identifier holds a line break.
_REGISTERED = """
SELECT i.scheme, i.value, i.society_id, i.work_id FROM licensing_identifier i
WHERE i.scheme = %s AND i.value = ANY(string_to_array(%s, E'\\n')) AND (%s OR i.society_id = %s)"""
_WORKS = """
SELECT w.id, w.society_id, o.ref, w.ref, w.title, w.kind, w.protected_until
FROM licensing_work w JOIN accounts_organisation o ON o.id = w.society_id WHERE w.id = ANY(%s::bigint[])"""


@contextmanager
def through_indexes() -> Iterator[None]:
    """Within: thousands of values in a list are looked up in an index, never by reading a whole register.

    With that many the planner would rather read it all. A join with a list of rows would be no better: where a table has
    grown within a transaction, and its statistics still say that it is empty, each of the rows reads the whole table.
    """
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan = on")


def works_of(
    actor: Actor, asked: Iterable[Spoken], places: Mapping[Spoken, Sequence[str]]
) -> dict[Spoken, list[FoundWork]]:
    """The works, at most one a society, that each identifier finds. A society looks in its own register alone."""
    exact = [spoken for spoken in asked if spoken not in places and spoken[0] != "title"]
    sought: dict[str, set[str]] = defaultdict(set)
    for scheme, value in exact:
        sought[scheme].add(value)
    if everywhere := {place for of_one in places.values() for place in of_one}:
        sought |= dict.fromkeys(matching.WEB, everywhere)
    if not sought:
        return {}
    values = [
        part
        for scheme, these in sought.items()
        for part in (scheme, lines(these), not actor.is_society, actor.organisation_id)
    ]
    registers: dict[int, dict[Spoken, int]] = defaultdict(dict)
    for scheme, value, society, work_id in rows(" UNION ALL ".join([_REGISTERED] * len(sought)), values):
        registers[society][scheme, value] = work_id
    ids = {work_id for register in registers.values() for work_id in register.values()}
    works = {row[0]: FoundWork._make(row) for row in rows(_WORKS, [listed(ids)])} if ids else {}
    found: dict[Spoken, list[FoundWork]] = {}
    for _society, register in sorted(registers.items()):
        for spoken in exact:
            if (work_id := register.get(spoken)) is not None:
                found.setdefault(spoken, []).append(works[work_id])
        if everywhere:
            registered = {value for scheme, value in register if scheme in matching.WEB}
            for spoken, of_one in places.items():
                if not registered.isdisjoint(of_one):
                    nearest = matching.nearest_of(*spoken, of_one, register)
                    found.setdefault(spoken, []).append(works[nearest])
    return found


def lines(texts: Iterable[str]) -> str | None:
    """Many texts as one parameter, for `string_to_array`; none as NULL."""
    return "\n".join(texts) or None


def listed(ids: Iterable[int]) -> str:
    """Ids as PostgreSQL writes an array: one parameter, however many they are."""
    return "{" + ",".join(map(str, ids)) + "}"


def rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
