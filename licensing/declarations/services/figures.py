"""Public figures about datasets, with their sources: from a table, or from what a dataset says of itself."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Forbidden, Reference, gettext_noop
from licensing import terms
from licensing.declarations.models import PublicFigure
from licensing.declarations.plausibility import ROW
from licensing.engine import duck
from licensing.intake.core import Reject, TableSpec
from licensing.intake.formats import descriptions
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
def import_figures(*, actor: Actor, path: Path, dataset: str = "", source: str = "") -> dict[str, Any]:
    """Add figures, or change those of the same dataset, measure and source. A bad row is reported and loses no good one.

    The file is a table, a Croissant description or a Hugging Face dataset card. `dataset` and `source` are for the two latter,
    where they do not say it themselves or it is to be kept under another name; the day is that of the import where they
    name none. Only the house imports them: they are held against every firm's declarations.
    """
    if not actor.is_system:
        raise Forbidden(_("Only the house itself keeps public figures."))
    with path.open("rb") as stream:
        described = descriptions.is_description(stream.read(4096))
    found, rejects = _described(path, dataset, source) if described else _tabled(path)
    counts = dict.fromkeys(("created", "updated", "unchanged"), 0)
    for row, said in found:
        if fault := _fault(said):
            rejects.append(Reject(row, fault[0], said[fault[0]][:200], fault[1]))
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


def _described(path: Path, dataset: str, source: str) -> tuple[list[tuple[int, dict[str, str]]], list[Reject]]:
    with path.open("rb") as stream:
        data = stream.read(descriptions.LONGEST + 1)
    found = []
    for row, each in enumerate(descriptions.figures(data, dataset=dataset, source=source), 1):
        day = each.stated_on or timezone.localdate()
        values = (each.dataset, each.measure, str(each.amount), each.source, day.isoformat())
        found.append((row, dict(zip(SPEC.columns, values, strict=True))))
    return found, []


def _tabled(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[Reject]]:
    with duck.connect() as engine:
        load(engine, path, spec=SPEC, limits=limits(), into="figures")
        found = engine.rows(f"SELECT row, {', '.join(SPEC.columns)} FROM figures ORDER BY row LIMIT {MOST}")
        rejects = [
            Reject(int(row), column or "", value or "", reason)
            for row, column, value, reason in engine.rows(
                'SELECT row, "column", value, reason FROM rejects ORDER BY row'
            )
        ]
    return [
        (int(row), dict(zip(SPEC.columns, ((value or "").strip() for value in values), strict=True)))
        for row, *values in found
    ], rejects


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
