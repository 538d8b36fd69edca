"""Where a declaration stands on its way, with the moment of each step, as evidence and its files tell it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Max

from accounts.evidence.models import Event
from licensing.declarations.models import Declaration
from licensing.declarations.services.lateness import invoices_of

Status = Declaration.Status
_STEPS: Final = ("received", "read", "matched", "submitted", "accepted", "billed")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its code, when it was done (None: not yet), whether it is the next one, and what is said beside it."""

    code: str
    at: dt.datetime | None
    current: bool = False
    about: Any = None


def timeline(declaration: Declaration, successor: Declaration | None) -> list[Step]:
    """received → read → matched → submitted → accepted → billed; then what took its place."""
    files = declaration.files.aggregate(read=Max("finished_at"))
    events = Event.objects.about("declaration", declaration.pk).filter(verb="declaration.received").order_by("id")
    invoices = invoices_of(declaration) if declaration.accepted_at else []
    moments: Mapping[str, dt.datetime | None] = {
        "received": events.values_list("at", flat=True).first(),
        "read": files["read"] if declaration.status not in (Status.DRAFT, Status.FAILED) else None,
        "matched": declaration.processed_at if declaration.lines else None,
        "submitted": declaration.submitted_at,
        "accepted": declaration.accepted_at,
        "billed": invoices[0].at if invoices else None,
    }
    abouts = {"billed": ", ".join(dict.fromkeys(each.number for each in invoices))}
    found: list[Step] = []
    waits = False
    for code in _STEPS:
        at = moments[code]
        if at is None and declaration.status == Status.SUPERSEDED:
            continue  # it will not come to that any more
        found.append(Step(code, at, current=at is None and not waits, about=abouts.get(code)))
        waits = waits or at is None
    if successor is not None:
        found.append(Step("amended", successor.created_at, about=successor))
    if declaration.status == Status.SUPERSEDED and successor is not None:
        found.append(Step("superseded", successor.accepted_at, about=successor))
    return found
