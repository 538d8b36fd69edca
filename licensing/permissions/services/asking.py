"""Answers to "may we use this?" for up to ten thousand works at once: facts gathered set-based, decided by the core."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.identity.core import Actor, say
from licensing import terms
from licensing.licences.core import Terms
from licensing.licences.models import Licence
from licensing.matching import core as matching
from licensing.permissions import core
from licensing.repertoire.identifiers import BadIdentifier, normalise
from licensing.repertoire.identifiers.web import is_public_suffix


@dataclass(frozen=True, slots=True)
class Item:
    """One work that is asked about: by identifier, or by title where it has none."""

    scheme: str = ""
    value: str = ""
    title: str = ""
    creators: str = ""


@dataclass(frozen=True, slots=True)
class FoundWork:
    """The registered work that an item means."""

    id: int
    society_id: int
    society: str
    ref: str
    title: str
    kind: str
    protected_until: dt.date | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one item: a line status of `terms.LINE_STATUSES`, with its reasons."""

    verdict: str
    basis: str = ""
    work: FoundWork | None = None
    missing_ppm: int = 0
    reasons: tuple[core.Reason, ...] = ()


def answers(
    *,
    actor: Actor,
    use: str,
    on: dt.date | None,
    territory: str,
    model: str,
    dataset: str,
    items: Sequence[Item],
) -> list[Answer]:
    """One answer an item, in order. A society asks about its own repertoire, a licensee about everyone's."""
    moment: dt.date | dt.datetime = on or timezone.now()
    asked = core.Facts(use=use, kind="", territory=territory, on=moment, model=model, dataset=dataset)
    read = [_read(item) for item in items]
    candidates = _candidates(actor, [spoken for spoken in read if isinstance(spoken, tuple)])
    gathered = _gather(actor, asked.day, {work for works in candidates.values() for work in works})
    return [
        Answer("rejected", reasons=(spoken,))
        if isinstance(spoken, core.Reason)
        else _answer(asked, gathered, spoken[0], candidates.get(spoken, ()))
        for spoken in read
    ]


# An item as scheme and normalised value; a title stands for itself.
Spoken = tuple[str, str]


def _read(item: Item) -> Spoken | core.Reason:
    if item.value:
        try:
            return item.scheme, normalise(item.scheme, item.value)
        except BadIdentifier as error:
            return core.Reason("bad_identifier", str(error))
    if not item.title.strip():
        return core.Reason("no_identifier", say("Give an identifier, or a title."))
    return "title", item.title


def _candidates(actor: Actor, asked: Iterable[Spoken]) -> dict[Spoken, list[int]]:
    """The works, at most one a society, that each identifier finds."""
    asked = set(asked)
    wanted = {
        (scheme, place)
        for spoken in asked
        for scheme in (matching.WEB if spoken[0] in matching.WEB else spoken[:1])
        for place in (
            matching.places(spoken[1], is_suffix=is_public_suffix) if spoken[0] in matching.WEB else spoken[1:]
        )
    }
    registers: dict[int, dict[Spoken, int]] = defaultdict(dict)
    columns = list(zip(*wanted, strict=True)) if wanted else [(), ()]
    for society, scheme, value, work in _rows(
        "SELECT i.society_id, i.scheme, i.value, i.work_id FROM licensing_identifier i"
        " JOIN unnest(%s::text[], %s::text[]) AS q(scheme, value) ON i.scheme = q.scheme AND i.value = q.value"
        " WHERE %s OR i.society_id = %s ORDER BY i.society_id",
        [list(columns[0]), list(columns[1]), not actor.is_society, actor.organisation_id],
    ):
        registers[society][scheme, value] = work
    found: dict[Spoken, list[int]] = {}
    for spoken in asked:
        works = [matching.nearest(*spoken, register, is_suffix=is_public_suffix) for register in registers.values()]
        found[spoken] = [work for work in works if work is not None]
    return found


@dataclass(slots=True)
class _Gathered:
    """Everything known about the works that were found."""

    works: dict[int, FoundWork] = field(default_factory=dict)
    shares: dict[int, list[core.Share]] = field(default_factory=lambda: defaultdict(list))
    mandates: dict[Any, list[core.Grant]] = field(default_factory=lambda: defaultdict(list))
    direct: dict[Any, list[core.Grant]] = field(default_factory=lambda: defaultdict(list))
    licences: dict[int, dict[str, Terms]] = field(default_factory=lambda: defaultdict(dict))  # by society, then ref

    def all_licences(self) -> Mapping[str, Terms]:
        return {ref: licence for licences in self.licences.values() for ref, licence in licences.items()}


def _gather(actor: Actor, day: dt.date, works: set[int]) -> _Gathered:
    found, ids = _Gathered(), list(works)
    for row in _rows(
        "SELECT w.id, w.society_id, o.ref, w.ref, w.title, w.kind, w.protected_until FROM licensing_work w"
        " JOIN accounts_organisation o ON o.id = w.society_id WHERE w.id = ANY(%s)",
        [ids],
    ):
        found.works[row[0]] = FoundWork(*row)
    for work, holder, ppm in _rows(
        "SELECT work_id, holder_id, ppm FROM licensing_share WHERE work_id = ANY(%s) AND valid @> %s::date", [ids, day]
    ):
        found.shares[work].append(core.Share(holder, ppm))
    holders = list({share.holder for shares in found.shares.values() for share in shares})
    for grants, table, extra, values in (
        (found.mandates, "licensing_mandate", "true", []),
        (found.direct, "licensing_directlicence", "licensee_id = %s", [actor.organisation_id]),
    ):
        for holder, *codes in _rows(
            f"SELECT holder_id, uses, kinds, territory FROM {table}"
            f" WHERE holder_id = ANY(%s) AND valid @> %s::date AND {extra}",
            [holders, day, *values],
        ):
            grants[holder].append(core.Grant(*codes))
    for licence in Licence.objects.filter(licensee_id=actor.organisation_id):
        found.licences[licence.society_id][licence.ref] = licence.terms
    return found


# Where several societies know the work, one with which there is a licence speaks; of these, in this order.
_LOUDEST = ("reserved", "licensed", "unmandated", "unlicensed")


def _answer(asked: core.Facts, found: _Gathered, scheme: str, works: Sequence[int]) -> Answer:
    if not works:
        kind = terms.KIND_OF_SCHEME.get(scheme, "other")
        return _by(_facts(asked, kind=kind, matched=False, licences=found.all_licences()), None)
    known = [found.works[work] for work in works]
    with_licence = [work for work in known if found.licences.get(work.society_id)]
    given = [_by(_facts_of(asked, found, work), work) for work in with_licence or known]
    return min(given, key=lambda answer: _LOUDEST.index(answer.verdict))


def _facts_of(asked: core.Facts, found: _Gathered, work: FoundWork) -> core.Facts:
    return _facts(
        asked,
        kind=work.kind,
        protected_until=work.protected_until,
        shares=found.shares[work.id],
        mandates=found.mandates,
        direct=found.direct,
        licences=found.licences[work.society_id],
    )


def _facts(asked: core.Facts, **more: Any) -> core.Facts:
    same = {name: getattr(asked, name) for name in ("use", "territory", "on", "model", "dataset")}
    return core.Facts(**(same | more))


def _by(facts: core.Facts, work: FoundWork | None) -> Answer:
    decision = core.decide(facts)
    reasons = decision.reasons
    if work is None and decision.verdict != "unmatched":
        reasons = (core.Reason("no_work", say("No work is registered under this identifier.")), *reasons)
    return Answer(decision.verdict, decision.basis, work, decision.missing_ppm, reasons)


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
