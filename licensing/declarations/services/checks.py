"""What is looked at once a declaration is processed, and the questions that come of it.

Questions of the checks stand beside those of rating and of people. Serious ones join `Declaration.questions`, which hold
back acceptance; notes are read, and hold back nothing. Nothing is ever refused by a check.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from django.utils.translation import override

from accounts.identity.core import SYSTEM, say
from licensing import terms
from licensing.declarations import core
from licensing.declarations.models import Declaration, Overlap, Question
from licensing.declarations.plausibility import NOTE, SERIOUS, Doubt, doubts, stated_totals
from licensing.declarations.services import differing, gathering, overlapping, summing
from licensing.declarations.services.common import note
from licensing.engine.core import Engine

# From this part of its rows on, a repeated report holds back acceptance: below it, a few works stand in both by chance.
_SERIOUS_PART: Final = Decimal("0.01")


def look(held: Declaration, *, engine: Engine) -> None:
    """Sums, difference, overlaps and questions of a declaration that was settled just now; the caller holds its lock."""
    summing.keep(held, engine)
    differing.keep(held)
    _ask(held, overlapping.find(held))


def look_again(held: Declaration) -> None:
    """Before it is handed in: others may have been handed in, or amended, since it was processed."""
    if overlapping.is_stale(held):
        _ask(held, overlapping.find(held))


def _ask(held: Declaration, overlaps: Sequence[Overlap]) -> None:
    """Put the questions in the place of those that were asked before. One that says the same keeps its answer."""
    with override("en"):  # kept in English, said again in the reader's language
        found = [_of_overlap(each) for each in overlaps] + _doubts(held)
    asked = Question.objects.filter(declaration=held, asked_by="")
    known = {(question.code, question.about): question for question in asked}
    fresh = [doubt for doubt in found if not _same(known.get((doubt.code, doubt.about)), doubt)]
    kept = {(doubt.code, doubt.about) for doubt in found} - {(doubt.code, doubt.about) for doubt in fresh}
    asked.exclude(pk__in=[known[key].pk for key in kept]).delete()
    Question.objects.bulk_create(
        Question(declaration=held, code=each.code, about=each.about, severity=each.severity, detail=each.detail[:2000])
        for each in fresh
    )
    codes = {question.code for question in known.values()} | {doubt.code for doubt in found}
    serious = [core.Note(doubt.code, doubt.detail[:2000]).as_data() for doubt in found if doubt.severity == SERIOUS]
    held.questions = [each for each in held.questions if each["code"] not in codes] + serious
    if fresh:
        note(SYSTEM, "doubted", held, codes=sorted({doubt.code for doubt in fresh}))


def _same(question: Question | None, doubt: Doubt) -> bool:
    return question is not None and (question.detail, question.severity) == (doubt.detail[:2000], doubt.severity)


def _doubts(held: Declaration) -> list[Doubt]:
    before = gathering.history(held)
    return doubts(
        gathering.figures(held),
        before=[gathering.figures(each) for each in before],
        missing=gathering.missing(held, before[0]) if before else [],
        public=gathering.public(held),
        stated=stated_totals(held.bases, terms.UNITS),
    )


def _of_overlap(overlap: Overlap) -> Doubt:
    units = ", ".join(f"{int(amount):,} {terms.UNITS[unit]}" for unit, amount in sorted(overlap.units.items()))
    detail = say(
        "Declaration #{number} of the same firm reports some of the same use: {works} works, {lines} lines, {units}.",
        number=overlap.other_id, works=f"{overlap.works:,}", lines=f"{overlap.lines:,}", units=units,
    )  # fmt: skip
    serious = overlapping.same_model(overlap) and overlap.part >= _SERIOUS_PART
    return Doubt("overlap", detail, SERIOUS if serious else NOTE, f"#{overlap.other_id}")
