"""Imports asked for on a page and done by a worker: the file is kept first, then read when a worker is free."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import IO, Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.identity.core import Actor, NotFound, Refusal, say
from accounts.organisations.models import Organisation
from licensing.intake.importing import ImportResult, check_society
from licensing.intake.models import Import
from licensing.intake.services import keep
from licensing.permissions.services.importing import import_mandates
from licensing.permissions.services.importing_reservations import import_reservations
from licensing.repertoire.services import (
    import_cwr,
    import_holders,
    import_onix,
    import_renewals,
    import_shares,
    import_works,
)

PERMISSION: Final = {
    Import.Kind.HOLDERS: "works.import",
    Import.Kind.WORKS: "works.import",
    Import.Kind.SHARES: "works.import",
    Import.Kind.MANDATES: "mandates.manage",
    Import.Kind.RESERVATIONS: "reservations.manage",
    Import.Kind.CWR: "works.import",
    Import.Kind.ONIX: "works.import",
    Import.Kind.RENEWALS: "works.import",
}
_SERVICES: Final[dict[str, Callable[..., ImportResult]]] = {
    Import.Kind.HOLDERS: import_holders,
    Import.Kind.WORKS: import_works,
    Import.Kind.SHARES: import_shares,
    Import.Kind.MANDATES: import_mandates,
    Import.Kind.RESERVATIONS: import_reservations,
    Import.Kind.CWR: import_cwr,
    Import.Kind.ONIX: import_onix,
    Import.Kind.RENEWALS: import_renewals,
}
_STALLED = dt.timedelta(minutes=2)


def request_import(*, actor: Actor, society: Organisation, kind: str, stream: IO[bytes], name: str) -> Import:
    """Keep a file and note that it waits to be imported; call `run` with its id, here or in a worker."""
    if kind not in _SERVICES:
        raise Refusal("unknown_kind", say("Import one of: {known}.", known=", ".join(_SERVICES)), pointer="/kind")
    check_society(actor, society, PERMISSION[Import.Kind(kind)])
    with transaction.atomic():
        file = keep(actor=actor, stream=stream, name=name, organisation=society)
        by = {"kind": actor.kind, "id": actor.id, "label": actor.label}
        return Import.objects.create(society=society, kind=kind, file=file, requested_by=by)


def run(import_id: int) -> None:
    """Do a waiting import, or one whose worker was lost. Safe to call twice, also at once: one call works, once."""
    started = Import.objects.filter(pk=import_id, status__in=_OPEN).update(status=Import.Status.RUNNING)
    if not started:
        return
    try:
        with transaction.atomic():
            waiting = Import.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                pk=import_id, status=Import.Status.RUNNING
            )
            found = waiting.select_related("society", "file").first()
            if found is not None:
                _SERVICES[found.kind](actor=_actor(found), society=found.society, file=found.file, record_in=found)
    except Refusal as refusal:
        _fail(import_id, code=refusal.code, detail=str(refusal.detail), errors=list(refusal.errors))
    except Exception:
        # A fault of ours would strike again each time that the import is run again.
        _fail(
            import_id,
            code="internal",
            detail=str(say("Something went wrong here. The file is kept; tell us.")),
            errors=[],
        )
        raise


def _fail(import_id: int, **problem: Any) -> None:
    Import.objects.filter(pk=import_id, status=Import.Status.RUNNING).update(
        status=Import.Status.FAILED, problem=problem, finished_at=timezone.now()
    )


_OPEN = (Import.Status.WAITING, Import.Status.RUNNING)


def _actor(found: Import) -> Actor:
    """Who sent the file, with what they were allowed when they did."""
    return Actor(
        **found.requested_by,
        organisation_id=found.society_id,
        organisation_kind=Organisation.Kind.SOCIETY,
        permissions=frozenset(PERMISSION.values()),
    )


def stalled() -> list[int]:
    """Imports that wait or run without having ended soon; running one again is safe."""
    since = timezone.now() - _STALLED
    return list(Import.objects.filter(status__in=_OPEN, requested_at__lt=since).values_list("pk", flat=True))


def find_import(*, actor: Actor, import_id: int) -> Import:
    """One of the society's imports, or NotFound."""
    found = Import.objects.visible_to(actor).select_related("file", "answer").filter(pk=import_id).first()
    if found is None:
        raise NotFound(say("There is no such import."))
    return found
