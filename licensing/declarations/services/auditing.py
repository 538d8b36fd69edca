"""A field audit of a declaration: a sample is drawn by its seed, what is found is entered, the estimate closes it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, NotFound, Refusal
from licensing import terms
from licensing.declarations import sampling, unit_sampling
from licensing.declarations.models import AuditLine, AuditSample, Declaration, UseSum
from licensing.declarations.services import summing
from licensing.declarations.services.common import locked, note

_DRAW: Final = Path(__file__).parent.with_name("sample.sql").read_text(encoding="utf-8")
_DRAW_BY_UNITS: Final = Path(__file__).parent.with_name("sample_by_units.sql").read_text(encoding="utf-8")
_DRAWABLE: Final = (Declaration.Status.SUBMITTED, Declaration.Status.ACCEPTED)
_MOST_UNITS: Final = Decimal(10) ** 38 - 1


@dataclass(frozen=True, slots=True)
class Found:
    """What the auditors found of one row. `units` is what it should say, where it is wrong."""

    finding: str
    units: Decimal | None = None
    note: str = ""


def population(declaration: Declaration) -> int:
    """The rows that a sample is drawn from."""
    summing.make_up(declaration)
    return int(UseSum.objects.filter(declaration=declaration).aggregate(n=Sum("rows"))["n"] or 0)


def units_of(declaration: Declaration) -> dict[str, Decimal]:
    """What a sample by units is drawn from: unit → how many are declared, the most first."""
    summing.make_up(declaration)
    sums = UseSum.objects.filter(declaration=declaration, units__gt=0).order_by().values_list("unit")
    found = {unit: Decimal(units) for unit, units in sums.annotate(n=Sum("units"))}
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


@transaction.atomic
def draw_sample(
    *, actor: Actor, declaration: Declaration, size: int, confidence: Decimal, seed: str = "", unit: str = ""
) -> AuditSample:
    """Draw so many rows at random, or with `unit` so many units and the rows that they lie in. The seed is kept and shown:
    who has it draws the same rows. Without a seed one is made up here, so that nobody chose it.
    """
    held = _reviewed(actor, declaration)
    if held.status not in _DRAWABLE:
        raise Conflict("not_submitted", _("Only a declaration that was handed in and still counts is audited."))
    seed = seed.strip() or secrets.token_hex(8)
    if len(seed) > 64 or not seed.isprintable():
        raise Refusal("bad_seed", _("A seed has at most 64 printable characters."), pointer="/seed")
    if confidence not in sampling.CONFIDENCES:
        raise Refusal("bad_confidence", _("Choose one of the levels of confidence."), pointer="/confidence")
    rows, units = population(held), units_of(held).get(unit)
    if unit and units is None:
        detail = _("The declaration has no %(unit)s to draw by.") % {"unit": terms.UNITS.get(unit, unit)}
        raise Refusal("bad_unit", detail, pointer="/method")
    _check_size(size, sampling.MOST if unit else min(rows, sampling.MOST), by_units=bool(unit))
    if AuditSample.objects.filter(declaration=held, seed=seed).exists():
        raise Conflict("drawn_already", _("A sample was drawn by this seed already."), pointer="/seed")
    sample = AuditSample.objects.create(
        declaration=held, seed=seed, population=rows, size=size, confidence=confidence, drawn_by=actor.label[:200],
        method=AuditSample.Method.UNITS if unit else AuditSample.Method.ROWS, unit=unit,
        population_units=units if unit else None,
    )  # fmt: skip
    _draw(sample)
    by = {"unit": unit} if unit else {}
    note(actor, "audit_drawn", held, sample=sample.pk, seed=seed, size=size, population=rows, **by)
    return sample


def _check_size(size: int, most: int, *, by_units: bool) -> None:
    if 1 <= size <= most:
        return
    said = _("Draw from 1 to %(most)s units.") if by_units else _("Draw from 1 to %(most)s rows.")
    raise Refusal("bad_size", said % {"most": f"{most:,}"}, pointer="/size")


def _draw(sample: AuditSample) -> None:
    about: dict[str, Any] = {"sample": sample.pk, "declaration": sample.declaration_id}
    if sample.population_units is None:
        statement, about = _DRAW, about | {"seed": sample.seed, "size": sample.size}
    else:
        drawn = unit_sampling.points(sample.seed, total=int(sample.population_units), size=sample.size)
        statement, about = _DRAW_BY_UNITS, about | {"unit": sample.unit, "points": [str(point) for point in drawn]}
    with connection.cursor() as cursor:
        cursor.execute(statement, about)


@transaction.atomic
def enter_findings(*, actor: Actor, sample: AuditSample, findings: Mapping[int, Found]) -> AuditSample:
    """Enter what was found, by place in the sample. It may be corrected until the audit is closed. All or nothing."""
    held = _open(actor, sample)
    lines = {line.position: line for line in held.rows.filter(position__in=findings)}
    for place, found in findings.items():
        line = lines.get(place)
        if line is None:
            raise NotFound(_("The sample has no row %(row)s.") % {"row": place})
        if found.finding and found.finding not in AuditLine.Finding.values:
            raise Refusal("bad_finding", _("Choose one of the findings."), row=place, pointer=f"/finding-{place}")
        if found.units is not None and not (
            0 <= found.units <= _MOST_UNITS and found.units == found.units.to_integral()
        ):
            raise Refusal("bad_units", _("Units are a whole number."), row=place, pointer=f"/units-{place}")
        units = found.units if found.finding == AuditLine.Finding.WRONG else None
        line.finding, line.found_units, line.note = found.finding, units, found.note.strip()[:1000]
    AuditLine.objects.bulk_update(lines.values(), ["finding", "found_units", "note"])
    return held


@transaction.atomic
def close_audit(*, actor: Actor, sample: AuditSample) -> AuditSample:
    """Close it with its estimate, once every row was looked at. Afterwards it is immutable; again changes nothing."""
    held = _held(actor, sample)
    if held.status == AuditSample.Status.CLOSED:
        return held
    counts = dict(held.rows.order_by("finding").values_list("finding").annotate(n=Count("pk")))
    if left := counts.get("", 0):
        detail = _("%(left)s rows of the sample have no finding yet.") % {"left": f"{left:,}"}
        raise Conflict("unfinished", detail)
    declared, found = _units(held)
    if held.method == AuditSample.Method.UNITS:
        rows = [unit_sampling.Checked(*each) for each in _checked(held)]
        held.finding = unit_sampling.estimate(rows=rows, confidence=held.confidence, declared=declared, found=found)
    else:
        held.finding = sampling.estimate(findings=counts, confidence=held.confidence, declared=declared, found=found)
    held.status, held.closed_at = AuditSample.Status.CLOSED, timezone.now()
    held.save(update_fields=["status", "finding", "closed_at"])
    facts = {name: held.finding[name] for name in ("size", "wrong", "estimate", "low", "high")}
    note(actor, "audit_closed", held.declaration, sample=held.pk, **facts)
    return held


def sample_rows(sample: AuditSample) -> list[dict[str, Any]]:
    """Every row of a sample as it goes to the field: place, what was declared, what was found."""
    rows = sample.rows.select_related("use__work").order_by("position")
    return [
        {
            "row": row.position,
            "work": row.use.work.ref if row.use.work else "",
            "title": row.use.work.title if row.use.work else row.use.title,
            "identifier": "" if row.use.work else f"{row.use.scheme}:{row.use.value}",
            "use": row.use.use, "used_on": row.use.used_on.isoformat(), "status": row.use.status,
            "units": int(row.use.units), "unit": row.use.unit, "draws": row.draws, "finding": row.finding,
            "found_units": "" if row.found_units is None else int(row.found_units), "note": row.note,
        }
        for row in rows
    ]  # fmt: skip


def _checked(sample: AuditSample) -> list[tuple[int, int, str, int | None]]:
    rows = sample.rows.order_by("position").values_list("use__units", "draws", "finding", "found_units")
    return [
        (int(units), draws, finding, None if right is None else int(right)) for units, draws, finding, right in rows
    ]


def _units(sample: AuditSample) -> tuple[Decimal, Decimal]:
    """Units declared in the sample, and those found: nothing of what cannot be found, what was found of what is wrong."""
    declared = found = Decimal(0)
    rows: Any = sample.rows.values_list("finding", "use__units", "found_units")
    for finding, units, right in rows:
        declared += units
        if finding == AuditLine.Finding.RIGHT or (finding == AuditLine.Finding.WRONG and right is None):
            found += units
        elif finding == AuditLine.Finding.WRONG:
            found += right
    return declared, found


def _reviewed(actor: Actor, declaration: Declaration) -> Declaration:
    actor.require("declarations.review")
    held = locked(declaration)
    if not actor.is_system and actor.organisation_id != held.licence.society_id:
        raise NotFound(_("There is no such declaration under a licence of yours."))
    return held


def _held(actor: Actor, sample: AuditSample) -> AuditSample:
    actor.require("declarations.review")
    visible = (
        AuditSample.objects.visible_to(actor).select_for_update(of=("self",)).select_related("declaration__licence")
    )
    held = visible.filter(pk=sample.pk).first()
    if held is None:
        raise NotFound(_("There is no such sample."))
    return held


def _open(actor: Actor, sample: AuditSample) -> AuditSample:
    held = _held(actor, sample)
    if held.status != AuditSample.Status.OPEN:
        raise Conflict("closed", _("This audit is closed; its findings stay."))
    return held
