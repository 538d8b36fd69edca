"""After processing: submitted by the licensee; accepted at once, or by the society once its questions are answered."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Actor, Conflict, NotFound, Refusal
from licensing.declarations import core
from licensing.declarations.models import Declaration, Question
from licensing.declarations.services import arriving, checks, overlapping
from licensing.declarations.services.common import enqueue, locked, note, require_declarant
from licensing.declarations.services.drafting import receive
from licensing.declarations.services.duties import settle_met
from licensing.declarations.services.telling import tell_licensee, tell_society

Status = Declaration.Status


@transaction.atomic
def submit(*, actor: Actor, declaration: Declaration) -> Declaration:
    """Hand it in; from then on it is immutable. While files are missing or processed, that happens when processing ends.

    Without an open question it is accepted at once. Submitting again changes nothing.
    """
    require_declarant(actor, declaration.licence)
    held = locked(declaration)
    if held.status in core.SUBMITTED:
        return held
    if arriving.waits(held):
        return _when_processed(actor, held)
    if held.status == Status.DRAFT and not held.files.exists():
        raise Refusal("no_file", _("Attach a file first: a declaration without lines declares nothing."))
    if held.status == Status.FAILED:
        raise Conflict("failed", _("The file could not be read. Attach a corrected one, then submit."))
    if held.status == Status.DRAFT:  # its processing was stopped
        held.submit_when_processed = True
        receive(held)
        note(actor, "submission_requested", held)
        enqueue(held.pk)
        return held
    if held.status in core.WAITING:
        return _when_processed(actor, held)
    return hand_in(actor=actor, held=held)


def _when_processed(actor: Actor, held: Declaration) -> Declaration:
    """It is handed in as soon as all announced files are here and processed."""
    if not held.submit_when_processed:
        held.submit_when_processed = True
        held.save(update_fields=["submit_when_processed"])
        note(actor, "submission_requested", held)
    return held


def hand_in(*, actor: Actor, held: Declaration) -> Declaration:
    """Submit a processed declaration whose lock the caller holds. One of a firm at a time: the next one sees this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('declaration.hand_in'), %s)", [held.licence.licensee_id])
    checks.look_again(held)
    held.status, held.submitted_at = Status.SUBMITTED, timezone.now()
    held.save(update_fields=["status", "submitted_at", "questions"])
    note(actor, "submitted", held, sha256=held.sha256, lines=held.lines)
    if not held.questions:
        return _accepted(SYSTEM, held)
    settle_met(held.licence_id)
    tell_society(held)
    return held


@transaction.atomic
def accept(*, actor: Actor, declaration: Declaration) -> Declaration:
    """The society accepts a submitted declaration, open questions or not. Accepting again changes nothing."""
    held = _reviewed(actor, declaration)
    if held.status in (Status.ACCEPTED, Status.SUPERSEDED):
        return held
    if held.status != Status.SUBMITTED:
        raise Conflict("not_submitted", _("Only a submitted declaration can be accepted."))
    return _accepted(actor, held)


@transaction.atomic
def ask(*, actor: Actor, declaration: Declaration, detail: str) -> Declaration:
    """Return a submitted declaration to the licensee with a question, which an amendment answers."""
    held = _reviewed(actor, declaration)
    detail = detail.strip()
    if not detail or len(detail) > 2000 or "\0" in detail:
        raise Refusal("no_question", _("Write the question, in at most 2,000 characters."), pointer="/detail")
    if held.status != Status.SUBMITTED:
        raise Conflict("not_submitted", _("Only a submitted declaration that is not accepted yet can be returned."))
    held.questions = [*held.questions, core.Note("society", detail).as_data()]
    held.save(update_fields=["questions"])
    Question.objects.create(
        declaration=held, code="society", severity=Question.Severity.SERIOUS, detail=detail, asked_by=actor.label[:200]
    )
    note(actor, "questioned", held)
    tell_licensee(held, "question")
    return held


def _reviewed(actor: Actor, declaration: Declaration) -> Declaration:
    held = locked(declaration)
    if not actor.is_system and not Declaration.objects.visible_to(actor).filter(pk=held.pk).exists():
        raise NotFound(_("There is no such declaration."))
    actor.require("declarations.review")
    if not actor.is_system and actor.organisation_id != held.licence.society_id:
        raise NotFound(_("There is no such declaration under a licence of yours."))
    return held


def _accepted(actor: Actor, held: Declaration) -> Declaration:
    held.status, held.accepted_at = Status.ACCEPTED, timezone.now()
    held.save(update_fields=["status", "accepted_at"])
    note(actor, "accepted", held, open_questions=[question["code"] for question in held.questions])
    tell_licensee(held, "accepted")
    for old in (
        Declaration.objects.select_for_update(of=("self",))
        .select_related("licence")
        .filter(pk__in=overlapping.ancestors(held))
    ):  # an amendment of an amendment that was never accepted takes the place of both
        if old.status != Status.SUPERSEDED:
            old.status = Status.SUPERSEDED
            old.save(update_fields=["status"])
            note(actor, "superseded", old, by=held.pk)
    settle_met(held.licence_id)
    return held
