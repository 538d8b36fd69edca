"""What the services of declarations share: who may act on one, its lock, its evidence."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, NotFound, Reference
from licensing.declarations.models import Declaration
from licensing.licences.models import Licence


def require_declarant(actor: Actor, licence: Licence) -> None:
    """Only the licensee's own people and programs declare; to strangers the licence does not exist."""
    if actor.is_system:
        return
    if actor.organisation_id not in (licence.licensee_id, licence.society_id):
        raise NotFound(_("There is no such licence."))
    actor.require("declarations.declare")
    if actor.organisation_id != licence.licensee_id:
        raise NotFound(_("There is no such licence of your organisation."))


def locked(declaration: Declaration) -> Declaration:
    """The declaration as it is now, held until the transaction ends."""
    held = Declaration.objects.select_for_update(of=("self",)).select_related("licence")
    found = held.filter(pk=declaration.pk).first()
    if found is None:
        raise NotFound(_("There is no such declaration."))
    return found


def forget_uses(declaration: Declaration) -> None:
    """Delete its declared use at once, without loading a million rows."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM licensing_declareduse WHERE declaration_id = %s", [declaration.pk])


def note(actor: Actor, what: str, declaration: Declaration, **data: Any) -> None:
    record(
        actor=actor,
        verb=f"declaration.{what}",
        object=Reference("declaration", declaration.pk),
        organisation_id=declaration.licence.licensee_id,
        data=data,
    )


def enqueue(declaration_id: int) -> None:
    """Have a worker process it once the transaction is committed. Without a broker, `resume_stalled` finds it."""
    from licensing.declarations.tasks import process_declaration, send  # tasks stand above services

    transaction.on_commit(lambda: send(process_declaration, declaration_id))
