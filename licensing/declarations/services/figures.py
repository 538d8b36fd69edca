"""Public figures about datasets, from a table with its sources: what a declared total is held against."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Forbidden, Reference, gettext_noop
from licensing import terms
from licensing.declarations.models import PublicFigure
from licensing.declarations.plausibility import ROW
from licensing.engine import duck
from licensing.intake.core import Reject, TableSpec
from licensing.intake.reading import load
from licensing.intake.services import limits

SPEC: Final = TableSpec(required=("dataset", "measure", "amount", "source", "stated_on"))
MEASURES: Final = (*terms.UNITS, ROW)
MOST: Final = 100_000

EMPTY = gettext_noop("a value is missing")
UNKNOWN_MEASURE = gettext_noop("not a unit of the tariffs, nor row")
NO_AMOUNT = gettext_noop("not a whole number above zero, in digits")
NO_SOURCE = gettext_noop("not an address that begins with https:// or http://")
NO_DAY = gettext_noop("not a date such as 2026-03-31")
TOO_LONG = gettext_noop("the value is too long")


@transaction.atomic
def import_figures(*, actor: Actor, path: Path) -> dict[str, Any]:
    """Add figures, or change those of the same dataset, measure and source. A bad row is reported and loses no good one.

    Only the house imports them: they are held against every firm's declarations.
    """
    if not actor.is_system:
        raise Forbidden(_("Only the house itself keeps public figures."))
    with duck.connect() as engine:
        load(engine, path, spec=SPEC, limits=limits(), into="figures")
        found = engine.rows(f"SELECT row, {', '.join(SPEC.columns)} FROM figures ORDER BY row LIMIT {MOST}")
        rejects = [
            Reject(int(row), column or "", value or "", reason)
            for row, column, value, reason in engine.rows(
                'SELECT row, "column", value, reason FROM rejects ORDER BY row'
            )
        ]
    counts = dict.fromkeys(("created", "updated", "unchanged"), 0)
    for row, *values in found:
        said = dict(zip(SPEC.columns, ((value or "").strip() for value in values), strict=True))
        if fault := _fault(said):
            rejects.append(Reject(int(row), fault[0], said[fault[0]][:200], fault[1]))
        else:
            counts[_kept(said)] += 1
    read = sum(counts.values()) + len(rejects)
    record(
        actor=actor,
        verb="public_figures.imported",
        object=Reference("public_figures", 0),
        organisation_id=None,
        data=counts,
    )
    rejects.sort(key=lambda each: each.row)
    return {"read": read, **counts, "rejected": len(rejects), "rejects": [each.as_data() for each in rejects[:1000]]}


def _fault(said: dict[str, str]) -> tuple[str, str] | None:
    """The first column that is wrong, and why."""
    for column, longest in (("dataset", 200), ("measure", 12), ("amount", 38), ("source", 500), ("stated_on", 10)):
        if not said[column]:
            return column, EMPTY
        if len(said[column]) > longest:
            return column, TOO_LONG
    if said["measure"] not in MEASURES:
        return "measure", UNKNOWN_MEASURE
    if not (said["amount"].isascii() and said["amount"].isdigit() and int(said["amount"])):
        return "amount", NO_AMOUNT
    if not said["source"].startswith(("https://", "http://")):
        return "source", NO_SOURCE
    try:
        dt.date.fromisoformat(said["stated_on"])
    except ValueError:
        return "stated_on", NO_DAY
    return None


def _kept(said: dict[str, str]) -> str:
    """What became of it: created, updated or unchanged."""
    values = {"amount": Decimal(said["amount"]), "stated_on": dt.date.fromisoformat(said["stated_on"])}
    key = {name: said[name] for name in ("dataset", "measure", "source")}
    figure, created = PublicFigure.objects.get_or_create(**key, defaults=values)
    if created:
        return "created"
    if all(getattr(figure, name) == value for name, value in values.items()):
        return "unchanged"
    PublicFigure.objects.filter(pk=figure.pk).update(**values)
    return "updated"
