"""Answers to "may we use this?" for up to ten thousand works at once: facts gathered set-based, decided by the core."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from accounts.identity.core import Actor
from licensing import terms
from licensing.permissions import core
from licensing.permissions.services.finding import (
    FoundWork,
    Item,
    Spoken,
    places_of,
    read,
    spell_titles,
    through_indexes,
    works_of,
)
from licensing.permissions.services.gathering import Known, gather

__all__ = ["Answer", "FoundWork", "Item", "answers", "answers_by_use"]


class Answer(NamedTuple):
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
    on: dt.date | dt.datetime,
    territory: str,
    model: str,
    dataset: str,
    items: Sequence[Item],
) -> list[Answer]:
    """One answer an item, in order. A society asks about its own repertoire, a licensee about everyone's."""
    asked = core.Facts(use=use, kind="", territory=territory, on=on, model=model, dataset=dataset)
    return answers_by_use(actor=actor, asked=asked, uses=[use], items=items)[use]


def answers_by_use(
    *, actor: Actor, asked: core.Facts, uses: Sequence[str], items: Sequence[Item]
) -> dict[str, list[Answer]]:
    """The same for each of several uses; the facts are gathered once."""
    spoken = [read(item) for item in items]
    each = {said for said in spoken if isinstance(said, tuple)}
    places = places_of(each)
    spell_titles(actor, each)
    with through_indexes():
        found = works_of(actor, each, places)
        works = {work.id: work for of_one in found.values() for work in of_one}.values()
        known = gather(actor=actor, day=asked.day, asked=each, works=works, places=places)
    by_use = {}
    for use in uses:
        decisions = _Decisions(replace(asked, use=use), known)
        given = {said: _answer(decisions, said, found.get(said, ())) for said in each}
        by_use[use] = [
            given[said] if isinstance(said, tuple) else Answer("rejected", reasons=(said,)) for said in spoken
        ]
    return by_use


# Where several societies know the work, one with which there is a licence speaks; of these, in this order.
LOUDEST = ("reserved", "licensed", "unmandated", "unlicensed")


def _answer(decisions: _Decisions, said: Spoken, works: Sequence[FoundWork]) -> Answer:
    if not works:
        return _as_answer(decisions.of_unmatched(said), None)
    licences = decisions.known.licences
    speaking = works if len(works) == 1 else [work for work in works if licences.get(work.society_id)] or works
    given = [_as_answer(decisions.of_work(said, work), work) for work in speaking]
    return given[0] if len(given) == 1 else min(given, key=lambda answer: LOUDEST.index(answer.verdict))


def _as_answer(decision: core.Decision, work: FoundWork | None) -> Answer:
    return Answer(decision.verdict, decision.basis, work, decision.missing_ppm, decision.reasons)


class _Decisions:
    """The core's decisions, each made once: where the facts are the same, so is the answer."""

    def __init__(self, asked: core.Facts, known: Known) -> None:
        self.asked, self.known, self.day = asked, known, asked.day
        self._made: dict[Any, core.Decision] = {}

    def of_work(self, said: Spoken, work: FoundWork) -> core.Decision:
        known, ends = self.known, work.protected_until
        if ends is not None and ends > self.day:
            ends = None  # protected: until when makes no difference
        shares = known.shares.get(work.id, ())
        reservations = known.reserved.of_work(said, work)
        key = (work.society_id, work.kind, ends, shares, reservations)
        if (made := self._made.get(key)) is None:
            standings = known.standings
            made = self._made[key] = core.decide(
                self._facts(
                    kind=work.kind,
                    protected_until=ends,
                    reservations=reservations,
                    shares=[core.Share(number, ppm) for number, ppm in shares],
                    mandates={number: standings[number][0] for number, _ppm in shares},
                    direct={number: standings[number][1] for number, _ppm in shares},
                    statutory=known.statutory.get(work.society_id, {}),
                    licences=known.licences.get(work.society_id, {}),
                )
            )
        return made

    def of_unmatched(self, said: Spoken) -> core.Decision:
        kind = terms.KIND_OF_SCHEME.get(said[0], "other")
        reservations = self.known.reserved.of_unmatched(said)
        key = (kind, reservations)
        if (made := self._made.get(key)) is None:
            licences = self.known.all_licences()
            facts = self._facts(kind=kind, matched=False, reservations=reservations, licences=licences)
            made = self._made[key] = core.without_work(core.decide(facts))
        return made

    def _facts(self, **more: Any) -> core.Facts:
        same: Mapping[str, Any] = {
            name: getattr(self.asked, name) for name in ("use", "territory", "on", "model", "dataset")
        }
        return core.Facts(**same, **more)
