"""Questions about a declaration, once asked: the firm answers, the society settles them."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, NotFound, Refusal
from licensing.declarations import core
from licensing.declarations.models import Declaration, Question
from licensing.declarations.services.common import locked, note, require_declarant
from licensing.declarations.services.telling import tell_society_of_answer

Status = Question.Status


@transaction.atomic
def answer_question(*, actor: Actor, question: Question, text: str) -> Question:
    """The firm says why it is so. It may say it anew until the society settled the question."""
    require_declarant(actor, question.declaration.licence)
    declaration, held = _held(question)
    text = _checked(text, 2000, "/answer")
    if held.status == Status.SETTLED:
        raise Conflict("settled", _("The society has settled this question."))
    if declaration.status == Declaration.Status.SUPERSEDED:
        raise Conflict("superseded", _("An amendment took the declaration's place; its own questions count."))
    held.status, held.answer, held.answered_at, held.answered_by = (
        Status.ANSWERED,
        text,
        timezone.now(),
        actor.label[:200],
    )
    held.save(update_fields=["status", "answer", "answered_at", "answered_by"])
    note(actor, "question_answered", declaration, question=held.pk, code=held.code)
    if declaration.status == Declaration.Status.SUBMITTED:
        tell_society_of_answer(declaration, held.pk)
    return held


@transaction.atomic
def settle_question(*, actor: Actor, question: Question, text: str) -> Question:
    """The society is content, for this reason; the question holds back acceptance no longer. Again changes nothing."""
    actor.require("declarations.review")
    declaration, held = _held(question)
    if not actor.is_system and actor.organisation_id != declaration.licence.society_id:
        raise NotFound(_("There is no such question about a declaration under a licence of yours."))
    if held.status == Status.SETTLED:
        return held
    if declaration.status not in core.SUBMITTED:
        raise Conflict("not_submitted", _("Only questions about a declaration that was handed in are settled."))
    text = _checked(text, 1000, "/settlement")
    held.status, held.settlement, held.settled_at, held.settled_by = (
        Status.SETTLED,
        text,
        timezone.now(),
        actor.label[:200],
    )
    held.save(update_fields=["status", "settlement", "settled_at", "settled_by"])
    declaration.questions = [
        each for each in declaration.questions if (each["code"], each["detail"]) != (held.code, held.detail)
    ]
    declaration.save(update_fields=["questions"])
    note(actor, "question_settled", declaration, question=held.pk, code=held.code)
    return held


def _held(question: Question) -> tuple[Declaration, Question]:
    """The declaration's lock, then the question as it is now."""
    declaration = locked(question.declaration)
    held = Question.objects.filter(pk=question.pk).first()
    if held is None:
        raise NotFound(_("There is no such question; the checks asked anew."))
    return declaration, held


def _checked(text: str, longest: int, pointer: str) -> str:
    text = text.strip()
    if not text or len(text) > longest or "\0" in text:
        detail = _("Write why, in at most %(longest)s characters.") % {"longest": f"{longest:,}"}
        raise Refusal("no_text", detail, pointer=pointer)
    return text
