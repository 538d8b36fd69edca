"""Processing stopped by the licensee, and begun again: files are kept, and what was read of them need not be read anew."""

from __future__ import annotations

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Refusal
from licensing.declarations import core
from licensing.declarations.models import Declaration, DeclarationFile
from licensing.declarations.services.arriving import check_waits_not
from licensing.declarations.services.common import enqueue, locked, note, require_declarant
from licensing.declarations.services.drafting import begin_round, receive

Status = Declaration.Status
_PATIENCE = "3s"  # with a worker that stores the result at this moment


@transaction.atomic
def cancel(*, actor: Actor, declaration: Declaration) -> Declaration:
    """Stop processing: nothing is stored, the files stay, and it is a draft again. Cancelling again changes nothing.

    Whoever works on it hears of it within a second or two. Conflict where it is over, or is being stored just now.
    """
    require_declarant(actor, declaration.licence)
    held = _held_soon(declaration)
    if held.status == Status.DRAFT:
        return held
    if held.status not in core.WAITING:
        raise Conflict("not_processing", _("The declaration is not being processed, so there is nothing to stop."))
    begin_round(held)
    held.files.filter(status=DeclarationFile.Status.READING).update(
        status=DeclarationFile.Status.WAITING, step="", bytes_read=0
    )
    held.status, held.step, held.problems, held.submit_when_processed = Status.DRAFT, "", [], False
    held.save()
    note(actor, "cancelled", held)
    return held


@transaction.atomic
def resume(*, actor: Actor, declaration: Declaration) -> Declaration:
    """Begin again what was cancelled or has failed, with the files that are there. What was read is not read again."""
    require_declarant(actor, declaration.licence)
    held = locked(declaration)
    if held.status in core.WAITING:
        return held
    if held.status not in core.RESUMABLE:
        raise Conflict("not_stopped", _("Only a declaration that was stopped or has failed can be started again."))
    check_waits_not(held)
    if not held.files.exists():
        raise Refusal("no_file", _("Attach a file first: a declaration without lines declares nothing."))
    held.files.filter(status=DeclarationFile.Status.FAILED).update(
        status=DeclarationFile.Status.WAITING, step="", problems=[]
    )
    receive(held)
    note(actor, "restarted", held)
    enqueue(held.pk)
    return held


def _held_soon(declaration: Declaration) -> Declaration:
    """Its lock, unless a worker keeps it for longer: then it is storing the result."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
            held = locked(declaration)
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', '0', true)")
            return held
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":
            raise
        detail = _("The result is being stored at this moment, so it is too late to stop. Look again in a moment.")
        raise Conflict("being_stored", detail) from error
