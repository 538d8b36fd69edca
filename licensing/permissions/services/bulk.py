"""Whole files asked about: kept as received, answered by one worker at a time, stored with a receipt in one transaction.

A claim is a compare-and-set that counts attempts, and only the last claimant stores: as with declarations, a worker
that dies leaves no trace, and one that was taken for dead changes nothing.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import zstandard
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, NotFound, Reference, Refusal, say
from accounts.notices.services import publish
from accounts.organisations.models import Organisation
from licensing.engine.core import Engine
from licensing.engine.duck import connect
from licensing.intake import services as intake
from licensing.intake.models import StoredFile
from licensing.licences.core import Terms
from licensing.licences.models import Licence
from licensing.permissions import bulk
from licensing.permissions.core import Grant, Span
from licensing.permissions.models import BulkCheck, DirectLicence
from licensing.permissions.models.checks import BulkCheckQuerySet
from licensing.permissions.services import receipts, reserved
from licensing.permissions.services.alive import alive
from licensing.permissions.services.checks import Question
from licensing.permissions.services.schemes import enabled
from licensing.repertoire.models import Identifier

PERMISSION: Final = "permissions.check"
STALE_SECONDS: Final = 60  # without a sign of life, work counts as abandoned
HEARTBEAT_SECONDS: Final = 5
MOST_ATTEMPTS: Final = 5
Status = BulkCheck.Status
_OPEN: Final = (Status.WAITING, Status.RUNNING)


def request_check(
    *, actor: Actor, organisation: Organisation, question: Question, stream: IO[bytes], name: str
) -> BulkCheck:
    """Keep a file and note that it waits to be answered; call `run` with its id, here or in a worker."""
    actor.require(PERMISSION)
    if not actor.is_system and actor.organisation_id != organisation.pk:
        raise NotFound(_("There is no such organisation."))
    asked = question.checked()
    if isinstance(asked.on, dt.datetime):
        raise Refusal("moment_of_a_file", _("A file is asked about for a day, or for now."), pointer="/on")
    with transaction.atomic():
        made = BulkCheck.objects.create(
            organisation=organisation,
            requested_by={"kind": actor.kind, "id": actor.id, "label": actor.label, "sandbox": actor.sandbox},
            file=intake.keep(actor=actor, stream=stream, name=name, organisation=organisation),
            use=asked.use,
            on=asked.on,
            territory=asked.territory,
            ai_model=asked.model,
            dataset=asked.dataset,
            heartbeat_at=timezone.now(),
        )
        data = {"use": made.use, "sha256": made.file.sha256, "size": made.file.size}
        _note(actor, "bulk_check.requested", made, data)
    return made


def run(check_id: int) -> BulkCheck | None:
    """Answer a waiting file, or one whose worker died. None where there is nothing to do now.

    A file that cannot be read fails the check with its problems. Any other error gives the claim back, so that it is
    tried again, and is raised; after five attempts the check fails.
    """
    claim = _claim(check_id)
    if claim is None:
        return None
    if claim.attempt > MOST_ATTEMPTS:
        detail = say("Answering failed several times. Support has been told.")
        return _fail(claim, [{"code": "gave_up", "detail": detail}])

    def beat(step: str | None = None) -> None:
        _mine(claim).update(heartbeat_at=timezone.now(), **({"step": step} if step else {}))

    try:
        with connect() as engine, alive(beat, every=HEARTBEAT_SECONDS, name=f"check-{claim.pk}"):
            return _answer(engine, claim, beat)
    except Refusal as refusal:
        return _fail(claim, _problems(refusal))
    except BaseException:
        _mine(claim).update(status=Status.WAITING, step="")
        raise


def finished(check: BulkCheck) -> BulkCheck:
    """Answer it here, or wait for the worker that has it. Raises Refusal where the file could not be read."""
    while check.status in _OPEN:
        if run(check.pk) is None:
            time.sleep(0.2)
        check = BulkCheck.objects.select_related("file", "result").get(pk=check.pk)
    if check.status == Status.FAILED:
        first = check.problems[0]
        raise Refusal(first["code"], first["detail"], errors=check.problems)
    return check


def stalled() -> list[int]:
    """Checks that wait or run without a sign of life."""
    silent = timezone.now() - dt.timedelta(seconds=STALE_SECONDS)
    waiting = BulkCheck.objects.filter(status__in=_OPEN, heartbeat_at__lt=silent)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def find_check(*, actor: Actor, check_id: int) -> BulkCheck:
    """One of the organisation's own checks, or NotFound."""
    checks = BulkCheck.objects.visible_to(actor).select_related("file", "result")
    found = checks.filter(pk=check_id).first()
    if found is None:
        raise NotFound(_("There is no such check."))
    return found


def result_of(check: BulkCheck) -> Path:
    """The answered file as it is kept: CSV packed with zstd. NotFound as long as there is none."""
    if check.result is None:
        raise NotFound(_("This check has no result yet."))
    return intake.path_of(check.result)


def unpacked(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    """The answered file in plain CSV, in pieces."""
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as rows:
        while piece := rows.read(size):
            yield piece


def _claim(check_id: int) -> BulkCheck | None:
    now = timezone.now()
    dead = Q(status=Status.RUNNING, heartbeat_at__lt=now - dt.timedelta(seconds=STALE_SECONDS))
    claimed = BulkCheck.objects.filter(Q(status=Status.WAITING) | dead, pk=check_id).update(
        status=Status.RUNNING, step="intake", heartbeat_at=now, attempt=F("attempt") + 1
    )
    if claimed != 1:
        return None
    return BulkCheck.objects.select_related("organisation", "file").get(pk=check_id)


def _mine(claim: BulkCheck) -> BulkCheckQuerySet:
    """The check, as long as this claim is the last one."""
    return BulkCheck.objects.filter(pk=claim.pk, status=Status.RUNNING, attempt=claim.attempt)


def _answer(engine: Engine, claim: BulkCheck, beat: Any) -> BulkCheck | None:
    as_of = timezone.now()
    order = bulk.Order(
        use=claim.use,
        on=claim.on or as_of,
        territory=claim.territory,
        model=claim.ai_model,
        dataset=claim.dataset,
        registers=registers(claim.organisation),
    )
    at = None if claim.on else as_of
    outcome = bulk.run(
        engine,
        intake.path_of(claim.file),
        order,
        reserve=lambda into, society: reserved.load(into, society, at=at),
        limits=intake.limits(),
        progress=beat,
    )
    beat("store")
    path = engine.folder / "result.csv.zst"
    bulk.write(engine, path)
    with path.open("rb") as stream:
        name = f"{Path(claim.file.name).stem}-{claim.pk}.csv.zst"
        kept = intake.keep(actor=_asker(claim), stream=stream, name=name, organisation=claim.organisation)
    return _store(claim, as_of, outcome, kept)


def registers(organisation: Organisation) -> list[bulk.Register]:
    """Whose registers are asked: a society asks about its own repertoire, a licensee about everyone's."""
    societies = Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("pk")
    if organisation.kind == Organisation.Kind.SOCIETY:
        societies = societies.filter(pk=organisation.pk)
    else:
        societies = societies.filter(Exists(Identifier.objects.filter(society_id=OuterRef("pk"))))
    licences: dict[int, dict[str, Terms]] = {}
    for licence in Licence.objects.filter(licensee=organisation):
        licences.setdefault(licence.society_id, {})[licence.ref] = licence.terms
    direct: dict[int, list[tuple[int, Grant]]] = {}
    for given in DirectLicence.objects.filter(licensee=organisation).select_related("holder"):
        span = Span(given.valid.lower or dt.date.min, given.valid.upper)
        grant = Grant(given.uses, given.kinds, given.territory, span)
        direct.setdefault(given.holder.society_id, []).append((given.holder_id, grant))
    schemes: dict[int, list[Grant]] = {}
    for society_id, _ref, scheme in enabled([society.pk for society in societies]):
        schemes.setdefault(society_id, []).append(scheme)
    return [
        bulk.Register(s.pk, s.ref, licences.get(s.pk, {}), direct.get(s.pk, ()), schemes.get(s.pk, ()))
        for s in societies
    ]


@transaction.atomic
def _store(claim: BulkCheck, as_of: dt.datetime, outcome: bulk.Outcome, kept: StoredFile) -> BulkCheck | None:
    held = BulkCheck.objects.select_for_update().get(pk=claim.pk)
    if held.status != Status.RUNNING or held.attempt != claim.attempt:
        return None  # taken over by another worker
    actor = _asker(claim)
    said = receipts.said_of_file(
        Question(claim.use, claim.on, claim.territory, claim.ai_model, claim.dataset),
        as_of,
        outcome.rows,
        outcome.verdicts,
        file_sha256=claim.file.sha256,
        result_sha256=kept.sha256,
        licences=outcome.licences,
    )
    held.receipt = receipts.sign_answer(actor=actor, said=said)
    held.status, held.step, held.as_of, held.result = Status.DONE, "", as_of, kept
    held.rows, held.verdicts, held.licences = outcome.rows, dict(outcome.verdicts), list(outcome.licences)
    held.finished_at = timezone.now()
    held.save()
    _note(actor, "permission.checked", held, receipts.for_evidence(said, held.receipt))
    _publish(held)
    return held


@transaction.atomic
def _fail(claim: BulkCheck, problems: list[dict[str, Any]]) -> BulkCheck | None:
    failed = {"status": Status.FAILED, "step": "", "problems": problems, "finished_at": timezone.now()}
    if _mine(claim).update(**failed) != 1:
        return None
    held = BulkCheck.objects.get(pk=claim.pk)
    _note(_asker(claim), "bulk_check.failed", held, {"problems": [problem["code"] for problem in problems]})
    _publish(held)
    return held


def _publish(held: BulkCheck) -> None:
    if _asker(held).sandbox:
        return  # test data makes no events
    publish(
        organisation_id=held.organisation_id,
        kind="check.finished",
        key=f"check-finished:{held.pk}",
        data={"check": held.pk, "status": held.status, "rows": held.rows, "verdicts": held.verdicts},
    )


def _problems(refusal: Refusal) -> list[dict[str, Any]]:
    """What was refused as a whole, then its parts where they say more."""
    whole = {"code": refusal.code, "detail": str(refusal.detail)}
    parts = ({"code": error["code"], "detail": str(error["detail"])} for error in refusal.errors)
    return [whole, *(part for part in parts if part["detail"] != whole["detail"])]


def _asker(claim: BulkCheck) -> Actor:
    """Who sent the file, with what they were allowed when they did."""
    return Actor(
        **claim.requested_by,
        organisation_id=claim.organisation_id,
        organisation_kind=claim.organisation.kind,
        permissions=frozenset({PERMISSION}),
    )


def _note(actor: Actor, verb: str, check: BulkCheck, data: dict[str, Any]) -> None:
    record(
        actor=actor,
        verb=verb,
        object=Reference("bulk_check", check.pk),
        organisation_id=check.organisation_id,
        data=data,
    )
