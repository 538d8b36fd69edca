"""The answer to whether works may be used: asked, answered, and kept as evidence that it was asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference, Refusal
from licensing import terms
from licensing.licences.services import checked_territory
from licensing.permissions import core
from licensing.permissions.services import receipts
from licensing.permissions.services.asking import Answer, Item, answers

MOST_ITEMS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about every item alike. Without `on` it is asked about the moment of the answer."""

    use: str
    on: dt.date | dt.datetime | None = None
    territory: str = "KR"
    model: str = ""
    dataset: str = ""

    def checked(self) -> Question:
        """The same in the house's terms. Raises Refusal for what it does not know."""
        if self.use not in terms.USES:
            detail = _("Use one of: %(known)s.") % {"known": ", ".join(terms.USES)}
            raise Refusal("unknown_term", detail, pointer="/use")
        if isinstance(self.on, dt.datetime) and timezone.is_naive(self.on):
            detail = _("Write a moment with its offset, such as 2026-03-31T09:00:00+09:00.")
            raise Refusal("no_offset", detail, pointer="/on")
        try:
            day = core.seoul_day(self.on) if isinstance(self.on, dt.datetime) else self.on
        except OverflowError:
            day = dt.date.max
        if day == dt.date.max:  # which stands for an end that is open
            raise Refusal("no_such_day", _("This moment lies outside the calendar."), pointer="/on")
        place = _country(self.territory)
        if place == terms.ANY:
            raise Refusal("unknown_territory", _("Ask about one territory, such as KR."), pointer="/territory")
        return Question(self.use, self.on, place, self.model, self.dataset)


@dataclass(frozen=True, slots=True)
class Checked:
    """One answer an item, in order; the moment they were given; a signed receipt where one was asked for."""

    answers: list[Answer]
    as_of: dt.datetime
    receipt: str | None = None


@transaction.atomic
def check(
    *,
    actor: Actor,
    use: str,
    items: Sequence[Item],
    on: dt.date | dt.datetime | None = None,
    territory: str = "KR",
    model: str = "",
    dataset: str = "",
    receipt: bool = False,
) -> Checked:
    """Whether the actor's organisation may use each of these works so: one answer an item, in order.

    Without `on` the question is about this moment. Raises Refusal for an unknown use or territory, or too many items.
    """
    actor.require("permissions.check")
    if len(items) > MOST_ITEMS:
        detail = _("At most %(most)d items can be asked about at once.") % {"most": MOST_ITEMS}
        raise Refusal("too_many_items", detail, pointer="/items")
    question = Question(use, on, territory, model, dataset).checked()
    now = timezone.now()
    given = answers(
        actor=actor,
        use=question.use,
        on=question.on or now,
        territory=question.territory,
        model=question.model,
        dataset=question.dataset,
        items=items,
    )
    said = receipts.said_of_items(question, now, items, given)
    signed = receipts.sign_answer(actor=actor, said=said) if receipt else None
    record(
        actor=actor,
        verb="permission.checked",
        object=Reference("organisation", actor.organisation_id or 0),
        organisation_id=actor.organisation_id,
        data=receipts.for_evidence(said, signed),
    )
    return Checked(given, now, signed)


@lru_cache(maxsize=512)
def _country(code: str) -> str:
    [place] = checked_territory([code])
    return place
