"""The second half of processing: all files are read, one worker matches, asks for permission and stores the result.

A claim is a compare-and-set that counts attempts. Until the last transaction nothing is stored but signs of life, so a
worker that dies leaves no trace; and only the last claimant may store, so one that was taken for dead changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.identity.core import SYSTEM, Refusal
from licensing.declarations import core, settling
from licensing.declarations.models import Declaration, DeclarationFile, DeclarationQuerySet
from licensing.declarations.rating import rate_declarations
from licensing.declarations.services import checks, quotas
from licensing.declarations.services.claiming import (
    Stopped,
    Watch,
    as_data,
    disk_is_full,
    gave_up,
    no_space,
    problems_of,
    silent_since,
    watched,
)
from licensing.declarations.services.common import forget_uses, locked, note
from licensing.declarations.services.deciding import hand_in
from licensing.engine import connect
from licensing.engine.core import Engine
from licensing.intake import services as intake
from licensing.permissions.services.direct import grants_to
from licensing.permissions.services.schemes import enabled

Status = Declaration.Status
FileStatus = DeclarationFile.Status


def settle(declaration_id: int) -> Declaration | None:
    """From the files' groups to the stored result, once all are read. None where there is nothing to do now.

    Files that cannot be read fail the declaration with their problems. Any other error gives the claim back, so that it
    is tried again, and is raised (a full disk is only noted); after five attempts the declaration fails.
    """
    claim = _claim(declaration_id)
    if claim is None or claim.status == Status.FAILED:
        return claim
    try:
        files = list(claim.files.select_related("groups").order_by("position", "pk"))
        with connect(claim.licence.society_id) as engine:
            with watched(Watch(lambda: _beat(claim), engine.interrupt), f"declaration-{claim.pk}"):
                outcome = _settled(engine, claim, files)
            return _store(engine, claim, files, outcome)
    except Stopped:
        return None
    except BaseException as error:
        if disk_is_full(error):
            _mine(claim).update(
                status=Status.RECEIVED, step="", heartbeat_at=timezone.now(), problems=as_data([no_space()])
            )
            return None
        if isinstance(error, Refusal):
            return _fail(claim, problems_of(error))
        _mine(claim).update(status=Status.RECEIVED, step="")
        raise


@transaction.atomic
def _claim(declaration_id: int) -> Declaration | None:
    """The declaration, claimed; or failed, where its files are not what can be settled."""
    free = Declaration.objects.filter(Q(step="intake") | Q(heartbeat_at=None) | Q(heartbeat_at__lt=silent_since()))
    free = free.filter(pk=declaration_id, status=Status.PROCESSING)
    if not free.exists():  # asked without a lock first: who stores its result holds one, and is not waited for
        return None
    held = free.select_for_update(of=("self",)).select_related("licence__licensee", "licence__society")
    claim = held.first()
    if claim is None:
        return None
    files = list(claim.files.select_related("file").order_by("position", "pk"))
    if not files or any(file.status not in (FileStatus.READ, FileStatus.FAILED) for file in files):
        return None
    problems = _problems(claim, files)
    if problems:
        return _failed(claim, problems)
    claim.attempt, claim.step, claim.heartbeat_at = claim.attempt + 1, "match", timezone.now()
    claim.save(update_fields=["attempt", "step", "heartbeat_at"])
    return claim


def _problems(claim: Declaration, files: Sequence[DeclarationFile]) -> list[core.Note]:
    failed = [(file.path or file.file.name, file.problems) for file in files if file.status == FileStatus.FAILED]
    if failed:
        return core.problems_of_files(failed, files=len(files))
    if claim.attempt >= core.MOST_ATTEMPTS:
        return [gave_up(claim.problems)]
    too_many = quotas.too_many_rows(claim, sum(file.lines for file in files))
    return [too_many] if too_many else []


def _mine(claim: Declaration) -> DeclarationQuerySet:
    """The declaration, as long as this claim is the last one."""
    return Declaration.objects.filter(pk=claim.pk, status=Status.PROCESSING, attempt=claim.attempt, round=claim.round)


def _beat(claim: Declaration) -> bool:
    return _mine(claim).update(heartbeat_at=timezone.now()) == 1


def _reach(claim: Declaration, step: str) -> None:
    if _mine(claim).update(step=step, heartbeat_at=timezone.now()) != 1:
        raise Stopped


def _settled(engine: Engine, claim: Declaration, files: Sequence[DeclarationFile]) -> settling.Outcome:
    groups = [intake.path_of(file.groups) for file in files if file.groups]
    return settling.run(engine, groups, _order(claim), progress=lambda step: _reach(claim, step))


def _order(claim: Declaration) -> settling.Order:
    licence = claim.licence
    return settling.Order(
        society_id=licence.society_id,
        licence=licence.terms,
        model=claim.model,
        territory=claim.territory,
        direct=grants_to(licensee_id=licence.licensee_id, society_id=licence.society_id),
        statutory=[scheme for _society, _ref, scheme in enabled({licence.society_id})],
    )


def _store(
    engine: Engine, claim: Declaration, files: Sequence[DeclarationFile], outcome: settling.Outcome
) -> Declaration | None:
    _reach(claim, "store")
    with transaction.atomic():
        held = locked(claim)
        if (held.status, held.attempt, held.round) != (Status.PROCESSING, claim.attempt, claim.round):
            return None  # taken over by another worker, or stopped
        forget_uses(held)
        settling.store(engine, held.pk)
        held.lines = _with_rejects(outcome.lines, sum(file.rejected for file in files))
        held.units = _with_rejects(outcome.units, sum(int(file.rejected_units) for file in files))
        held.works = outcome.works
        _rate(held)
        checks.look(held, engine=engine)
        held.status, held.step, held.problems, held.processed_at = Status.PROCESSED, "", [], timezone.now()
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


@transaction.atomic
def _fail(claim: Declaration, problems: Sequence[core.Note]) -> Declaration | None:
    held = locked(claim)
    if (held.status, held.attempt, held.round) != (Status.PROCESSING, claim.attempt, claim.round):
        return None
    return _failed(held, problems)


def _failed(held: Declaration, problems: Sequence[core.Note]) -> Declaration:
    """The end of a declaration whose lock the caller holds."""
    forget_uses(held)
    held.status, held.step, held.problems = Status.FAILED, "", as_data(problems)
    held.lines, held.units, held.works, held.fee, held.questions = {}, {}, 0, None, []
    held.submit_when_processed = False
    held.save()
    note(SYSTEM, "failed", held, problems=[problem.code for problem in problems])
    return held
