"""From what is asked about to the works that it means: identifiers normalised, looked up in one query for all of them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection, transaction

from accounts.identity.core import Actor, say
from accounts.organisations.models import Organisation
from licensing.matching import core as matching
from licensing.matching.services import refresh_titles
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
SELECT false, i.scheme, i.value, i.society_id, coalesce(m.survivor_id, i.work_id) FROM licensing_identifier i
LEFT JOIN licensing_merged m ON m.work_id = i.work_id
WHERE i.scheme = %s AND i.value = ANY(string_to_array(%s, E'\\n')) AND (%s OR i.society_id = %s)"""
_TITLED = """
SELECT false, %s, t.value, t.society_id, min(coalesce(m.survivor_id, t.work_id)) FROM licensing_titlekey t
LEFT JOIN licensing_merged m ON m.work_id = t.work_id
WHERE t.value = ANY(string_to_array(%s, E'\\n')) AND (%s OR t.society_id = %s)
GROUP BY t.society_id, t.value HAVING count(DISTINCT coalesce(m.survivor_id, t.work_id)) = 1"""
_RULED = """
SELECT true, r.scheme, r.value, r.society_id, coalesce(m.survivor_id, r.work_id) FROM licensing_matchrule r
LEFT JOIN licensing_merged m ON m.work_id = r.work_id
WHERE r.scheme = %s AND r.value = ANY(string_to_array(%s, E'\\n')) AND (%s OR r.society_id = %s) AND r.withdrawn_at IS NULL"""
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


def spell_titles(actor: Actor, asked: Iterable[Spoken]) -> None:
    """Before titles are looked up: bring the spellings of the registers that are asked up to date."""
    if any(scheme == "title" for scheme, _value in asked):
        societies = Organisation.objects.filter(kind=Organisation.Kind.SOCIETY)
        if actor.is_society and actor.organisation_id is not None:
            societies = societies.filter(pk=actor.organisation_id)
        for society_id in societies.order_by("pk").values_list("pk", flat=True):
            refresh_titles(society_id)


def works_of(
    actor: Actor, asked: Collection[Spoken], places: Mapping[Spoken, Sequence[str]]
) -> dict[Spoken, list[FoundWork]]:
    """The works, at most one a society, that each identifier or title finds. A society looks in its own register alone.

    What a society decided about one goes before what is registered (`matching/meaning.sql`).
    """
    exact = [spoken for spoken in asked if spoken not in places]
    sought = _by_scheme(exact)
    if everywhere := {place for of_one in places.values() for place in of_one}:
        sought |= dict.fromkeys(matching.WEB, everywhere)
    if not sought:
        return {}
    registers, rules = _looked_up(sought, _by_scheme(asked), actor)
    means: dict[int, dict[Spoken, int | None]] = {}
    for society in sorted({*registers, *rules}):
        register = {key: work for key, work in registers.get(society, {}).items() if work is not None}
        meant: dict[Spoken, int | None] = {spoken: register[spoken] for spoken in exact if spoken in register}
        registered = {value for scheme, value in register if scheme in matching.WEB}
        for spoken, of_one in places.items():
            if not registered.isdisjoint(of_one):
                meant[spoken] = matching.nearest_of(*spoken, of_one, register)
        means[society] = meant | rules.get(society, {})
    ids = {work_id for meant in means.values() for work_id in meant.values() if work_id is not None}
    works = {row[0]: FoundWork._make(row) for row in rows(_WORKS, [listed(ids)])} if ids else {}
    found: dict[Spoken, list[FoundWork]] = {}
    for meant in means.values():
        for spoken, work_id in meant.items():
            if work_id is not None:
                found.setdefault(spoken, []).append(works[work_id])
    return found


def _by_scheme(asked: Iterable[Spoken]) -> dict[str, set[str]]:
    values: dict[str, set[str]] = defaultdict(set)
    for scheme, value in asked:
        values[scheme].add(value)
    return values


Register = dict[int, dict[Spoken, int | None]]  # society → what it says → work


def _looked_up(
    sought: Mapping[str, Collection[str]], asked: Mapping[str, Collection[str]], actor: Actor
) -> tuple[Register, Register]:
    """The registers' and the rules' answers, in one question to the database."""
    parts = [(_TITLED if scheme == "title" else _REGISTERED, scheme, these) for scheme, these in sought.items()]
    parts += [(_RULED, scheme, these) for scheme, these in asked.items()]
    values = [
        value
        for _query, scheme, these in parts
        for value in (scheme, lines(these), not actor.is_society, actor.organisation_id)
    ]
    registers: Register = defaultdict(dict)
    rules: Register = defaultdict(dict)
    for ruled, scheme, value, society, work_id in rows(" UNION ALL ".join(f"({part[0]})" for part in parts), values):
        (rules if ruled else registers)[society][scheme, value] = work_id
    return registers, rules


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
