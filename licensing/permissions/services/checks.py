"""The answer to whether works may be used: asked, answered, and kept as evidence that it was asked."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference, Refusal
from licensing import terms
from licensing.licences.services import checked_territory
from licensing.permissions.services.asking import Answer, Item, answers

MOST_ITEMS = 10_000


@transaction.atomic
def check(
    *,
    actor: Actor,
    use: str,
    items: Sequence[Item],
    on: dt.date | None = None,
    territory: str = "KR",
    model: str = "",
    dataset: str = "",
) -> list[Answer]:
    """Whether the actor's organisation may use each of these works so: one answer an item, in order.

    Without `on` the question is about this moment. Raises Refusal for an unknown use or territory, or too many items.
    """
    actor.require("permissions.check")
    if use not in terms.USES:
        raise Refusal("unknown_term", _("Use one of: %(known)s.") % {"known": ", ".join(terms.USES)}, pointer="/use")
    if len(items) > MOST_ITEMS:
        detail = _("At most %(most)d items can be asked about at once.") % {"most": MOST_ITEMS}
        raise Refusal("too_many_items", detail, pointer="/items")
    [place] = checked_territory([territory])
    if place == terms.ANY:
        raise Refusal("unknown_territory", _("Ask about one territory, such as KR."), pointer="/territory")
    given = answers(actor=actor, use=use, on=on, territory=place, model=model, dataset=dataset, items=items)
    _note_check(actor, given, use=use, on=on and on.isoformat(), territory=place, items=len(items))
    return given


def _note_check(actor: Actor, given: Sequence[Answer], **asked: Any) -> None:
    """That it was asked and what was answered, so that a licensee can show later that it did ask."""
    verdicts = Counter(answer.verdict for answer in given)
    said = "\n".join(f"{a.verdict} {a.basis} {a.work.id if a.work else ''} {a.missing_ppm}" for a in given)
    record(
        actor=actor,
        verb="permission.checked",
        object=Reference("organisation", actor.organisation_id or 0),
        organisation_id=actor.organisation_id,
        data=asked | {"verdicts": dict(verdicts), "answers_sha256": hashlib.sha256(said.encode()).hexdigest()},
    )
