"""From received to processed: claimed by one worker, run on the engine, stored in one transaction; restartable.

A claim is a compare-and-set that counts attempts. Until the last transaction nothing is stored but signs of life, so a
worker that dies leaves no trace; and only the last claimant may store, so one that was taken for dead changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.identity.core import SYSTEM, Refusal, say
from licensing.declarations import core, grouping, settling
from licensing.declarations.models import Declaration, DeclarationFile, DeclarationQuerySet
from licensing.declarations.rating import rate_declarations
from licensing.declarations.services.common import forget_uses, locked, note
from licensing.declarations.services.deciding import hand_in
from licensing.engine import connect
from licensing.engine.core import Engine
from licensing.intake import services as intake
from licensing.intake.models import StoredFile
from licensing.permissions.core import Grant, Span
from licensing.permissions.models import DirectLicence
from licensing.permissions.services.alive import alive
from licensing.permissions.services.schemes import enabled

Status = Declaration.Status


def process(declaration_id: int) -> Declaration | None:
    """Process a received declaration, or one whose worker died. None where there is nothing to do now.

    A file that cannot be read fails the declaration with its problems. Any other error gives the claim back, so that
    it is tried again, and is raised; after five attempts the declaration fails.
    """
    claim = _claim(declaration_id)
    if claim is None:
        return None
    if claim.attempt > core.MOST_ATTEMPTS:
        return _fail(claim, [core.Note("gave_up", say("Processing failed several times. Support has been told."))])
    try:
        with _alive(claim):
            files = _read_files(claim)
        with connect() as engine:
            with _alive(claim):
                outcome = _settle(engine, claim, files)
            return _store(engine, claim, files, outcome)
    except Refusal as refusal:
        return _fail(claim, _problems(refusal))
    except BaseException:
        _mine(claim).update(status=Status.RECEIVED, step="")
        raise


def stalled() -> list[int]:
    """Declarations that wait for processing without a sign of life."""
    silent = timezone.now() - dt.timedelta(seconds=core.STALE_SECONDS)
    waiting = Declaration.objects.filter(status__in=core.WAITING, heartbeat_at__lt=silent)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def _claim(declaration_id: int) -> Declaration | None:
    now = timezone.now()
    dead = Q(status=Status.PROCESSING, heartbeat_at__lt=now - dt.timedelta(seconds=core.STALE_SECONDS))
    claimed = Declaration.objects.filter(Q(status=Status.RECEIVED) | dead, pk=declaration_id).update(
        status=Status.PROCESSING, step="intake", heartbeat_at=now, attempt=F("attempt") + 1, lines_read=0
    )
    if claimed != 1:
        return None
    return Declaration.objects.select_related("licence__licensee").get(pk=declaration_id)


def _mine(claim: Declaration) -> DeclarationQuerySet:
    """The declaration, as long as this claim is the last one."""
    return Declaration.objects.filter(pk=claim.pk, status=Status.PROCESSING, attempt=claim.attempt)


def _read_files(claim: Declaration) -> list[DeclarationFile]:
    """The files of the declaration, each read: what was read before is not read again."""
    files = list(claim.files.select_related("file", "groups").order_by("position", "pk"))
    said = _said(claim)
    done = 0
    for file in files:
        if file.status != DeclarationFile.Status.READ:
            _reach(claim, "intake", done)
            _read_file(claim, file, said)
        done += file.lines
    return files


def _read_file(claim: Declaration, file: DeclarationFile, said: grouping.Said) -> None:
    with connect() as engine:
        read = grouping.read(engine, intake.path_of(file.file), said, limits=intake.limits())
        file.rejects = _kept(claim, read.rejects, f"rejects-{claim.pk}.csv")
        file.groups = _kept(claim, read.groups, f"groups-{claim.pk}.parquet")
    file.lines, file.rejected, file.rejected_units = read.lines, read.rejected, Decimal(read.rejected_units)
    file.status, file.finished_at = DeclarationFile.Status.READ, timezone.now()
    file.made_of = said.key(file.file.sha256)
    file.save()


def _kept(claim: Declaration, path: Path | None, name: str) -> StoredFile | None:
    if path is None:
        return None
    with path.open("rb") as stream:
        return intake.keep(actor=SYSTEM, stream=stream, name=name, organisation=claim.licence.licensee)


def _said(claim: Declaration) -> grouping.Said:
    last_day = claim.period.upper - dt.timedelta(days=1)
    return grouping.Said(claim.period.lower, last_day, use=claim.use, unit=claim.unit, dataset=claim.dataset)


def _reach(claim: Declaration, step: str, lines: int) -> None:
    _mine(claim).update(step=step, lines_read=lines, heartbeat_at=timezone.now())


def _settle(engine: Engine, claim: Declaration, files: Sequence[DeclarationFile]) -> settling.Outcome:
    lines = sum(file.lines for file in files)
    groups = [intake.path_of(file.groups) for file in files if file.groups]
    return settling.run(engine, groups, _order(claim), progress=lambda step: _reach(claim, step, lines))


def _order(claim: Declaration) -> settling.Order:
    licence = claim.licence
    direct = DirectLicence.objects.filter(licensee_id=licence.licensee_id, holder__society_id=licence.society_id)
    return settling.Order(
        society_id=licence.society_id,
        licence=licence.terms,
        model=claim.model,
        territory=claim.territory,
        direct=[
            (d.holder_id, Grant(d.uses, d.kinds, d.territory, Span(d.valid.lower or dt.date.min, d.valid.upper)))
            for d in direct
        ],
        statutory=[scheme for _society, _ref, scheme in enabled({licence.society_id})],
    )


def _store(
    engine: Engine, claim: Declaration, files: Sequence[DeclarationFile], outcome: settling.Outcome
) -> Declaration | None:
    _mine(claim).update(step="store", heartbeat_at=timezone.now())
    with transaction.atomic():
        held = locked(claim)
        if held.status != Status.PROCESSING or held.attempt != claim.attempt:
            return None  # taken over by another worker
        forget_uses(held)
        settling.store(engine, held.pk)
        held.lines = _with_rejects(outcome.lines, sum(file.rejected for file in files))
        held.units = _with_rejects(outcome.units, sum(int(file.rejected_units) for file in files))
        held.works = outcome.works
        _rate(held)
        held.status, held.step, held.processed_at = Status.PROCESSED, "", timezone.now()
        held.lines_read = held.lines["total"]
        held.save()
        note(SYSTEM, "processed", held, sha256=held.sha256, lines=held.lines, works=held.works)
        return hand_in(actor=SYSTEM, held=held) if held.submit_when_processed else held


def _with_rejects(sums: Mapping[str, int], rejected: int) -> dict[str, int]:
    """Sums by status that add up to the files."""
    by_status = {**sums, "rejected": rejected}
    return {"total": sum(by_status.values()), **by_status}


def _rate(held: Declaration) -> None:
    """Its fee alone, and the questions that hold back acceptance."""
    unpriced: list[str] = []
    missing: tuple[str, ...] = ()
    unrated = None
    try:
        rating = rate_declarations(
            licence=held.licence,
            period=(held.period.lower, held.period.upper),
            declarations=Declaration.objects.filter(pk=held.pk),
            preview=True,
        )
    except Refusal as refusal:
        held.fee, unrated = None, core.Note(refusal.code, str(refusal.detail))
    else:
        held.fee, missing = rating.as_data(), rating.missing_bases
        unpriced = [quantity.said() for quantity in rating.unpriced]
    found = core.questions(lines=held.lines, unpriced=unpriced, missing_bases=missing, unrated=unrated)
    held.questions = [question.as_data() for question in found]


def _problems(refusal: Refusal) -> list[core.Note]:
    """What was refused as a whole, then its parts where they say more."""
    whole = core.Note(refusal.code, str(refusal.detail), refusal.row)
    parts = [core.Note(error["code"], str(error["detail"]), error.get("row")) for error in refusal.errors]
    return [whole, *(part for part in parts if part.detail != whole.detail)]


@transaction.atomic
def _fail(claim: Declaration, problems: Sequence[core.Note]) -> Declaration | None:
    held = locked(claim)
    if held.status != Status.PROCESSING or held.attempt != claim.attempt:
        return None
    forget_uses(held)
    held.status, held.step, held.problems = Status.FAILED, "", [problem.as_data() for problem in problems]
    held.lines, held.units, held.works, held.fee, held.questions = {}, {}, 0, None, []
    held.submit_when_processed = False
    held.save()
    note(SYSTEM, "failed", held, problems=[problem.code for problem in problems])
    return held


def _alive(claim: Declaration) -> AbstractContextManager[None]:
    def beat() -> None:
        _mine(claim).update(heartbeat_at=timezone.now())

    return alive(beat, every=core.HEARTBEAT_SECONDS, name=f"declaration-{claim.pk}")
