"""Notes on a run, for those who look at it next."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference, Refusal
from royalties.distribution.models import Run, RunNote
from royalties.distribution.services.guards import own_run

MOST = 4_000


@transaction.atomic
def write_note(*, actor: Actor, run: Run, text: str) -> RunNote:
    """Write a note on a run, at any step of it."""
    run = own_run(actor, run.pk, "distribution.view")
    text = text.strip()
    if not text or len(text) > MOST:
        raise Refusal("bad_note", _("A note has 1 to %(most)s characters.") % {"most": MOST}, pointer="/text")
    note = RunNote.objects.create(run=run, text=text, author=actor.label)
    record(
        actor=actor,
        verb="run.noted",
        object=Reference("run", run.pk),
        organisation_id=run.society_id,
        data={"note": note.pk},
    )
    return note
