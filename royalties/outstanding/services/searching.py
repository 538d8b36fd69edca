"""The search for whose money waits: attempts, logged as they were made, and campaigns of them."""

from __future__ import annotations

import datetime
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.models import Holder, Work
from royalties.distribution.services.guards import enter
from royalties.outstanding.models import Attempt, Tracing

PERMISSION: Final = "distribution.compute"


@transaction.atomic
def log_attempt(
    *, actor: Actor, society: Organisation, about: str, channel: str, result: str, made_on: datetime.date, note: str = "",
    tracing: Tracing | None = None,
) -> Attempt:  # fmt: skip
    """Log one attempt. `about` is a holder's reference, a work's, or an identifier (`isbn:…`) of what waits. It stays as logged."""
    enter(actor, society, PERMISSION)
    if made_on > timezone.localdate():
        raise Refusal("in_the_future", _("An attempt was made today or before."), pointer="/made_on")
    if channel not in Attempt.Channel.values or result not in Attempt.Result.values:
        raise Refusal("unknown_choice", _("Choose how it was tried and what came of it."), pointer="/channel")
    if len(note) > 1000 or "\0" in note:
        raise Refusal("too_long", _("Write at most 1,000 characters."), pointer="/note")
    if tracing is not None and tracing.society_id != society.pk:
        raise NotFound(_("There is no such search."))
    made = Attempt.objects.create(
        society=society, tracing=tracing, channel=channel, result=result, made_on=made_on, note=note.strip(),
        logged_by=actor.label[:200], **_subject(society, about.strip()),
    )  # fmt: skip
    data = {"about": about[:200], "channel": channel, "result": result, "on": made_on.isoformat()}
    _note(actor, "attempt.logged", Reference("attempt", made.pk), society.pk, data)
    return made


@transaction.atomic
def begin_tracing(
    *, actor: Actor, society: Organisation, title: str, plan: str, begun_on: datetime.date, until: datetime.date
) -> Tracing:
    """Begin a search for several at once."""
    enter(actor, society, PERMISSION)
    if not title.strip() or len(title) > 200 or len(plan) > 2000:
        raise Refusal("no_title", _("Give the search a name of at most 200 characters."), pointer="/title")
    if until < begun_on:
        raise Refusal("ends_before", _("The end must not be before the start."), pointer="/until")
    made = Tracing.objects.create(
        society=society, title=title.strip(), plan=plan.strip(), begun_on=begun_on, until=until
    )
    _note(
        actor,
        "tracing.begun",
        Reference("tracing", made.pk),
        society.pk,
        {"name": made.title, "until": until.isoformat()},
    )
    return made


@transaction.atomic
def close_tracing(*, actor: Actor, tracing: Tracing, finding: str) -> Tracing:
    """End a search and say what came of it."""
    enter(actor, tracing.society, PERMISSION)
    if not finding.strip() or len(finding) > 2000:
        raise Refusal("no_finding", _("Say what came of it, in at most 2,000 characters."), pointer="/finding")
    closed = {"closed_on": timezone.localdate(), "finding": finding.strip()}
    if Tracing.objects.filter(pk=tracing.pk, closed_on=None).update(**closed) != 1:
        raise Conflict("tracing_is_over", _("This search is over."))
    tracing.refresh_from_db()
    _note(actor, "tracing.closed", Reference("tracing", tracing.pk), tracing.society_id, {"name": tracing.title})
    return tracing


def _subject(society: Organisation, about: str) -> dict[str, Any]:
    if holder := Holder.objects.filter(society=society, ref=about).first():
        return {"holder": holder}
    if work := Work.objects.filter(society=society, ref=about).first():
        return {"work": work}
    scheme, _colon, value = about.partition(":")
    if scheme in ("title", "several", "proprietary") and 0 < len(value) <= 2048:
        return {"scheme": scheme, "value": value}
    try:
        scheme, value = split(about)
        return {"scheme": scheme, "value": normalise(scheme, value)}
    except BadIdentifier:
        detail = _(
            "There is no holder or work with this reference, and it is no identifier such as isbn:9788936434267."
        )
        raise Refusal("nobody_named", detail, pointer="/about") from None


def _note(actor: Actor, verb: str, about: Reference, society_id: int, data: dict[str, Any]) -> None:
    record(actor=actor, verb=verb, object=about, organisation_id=society_id, data=data)
