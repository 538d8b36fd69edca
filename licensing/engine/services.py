"""Which engine computes for a society: set, seen."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from accounts.evidence.services import record
from accounts.identity.core import Actor, Forbidden, Reference, Refusal, say
from accounts.organisations.models import Organisation
from licensing.engine import name_of, spark
from licensing.engine.models import EngineChoice

MANAGE = "organisation.manage"


@transaction.atomic
def choose(*, actor: Actor, society: Organisation, engine: str = "") -> str:
    """Let a society's declarations and runs be computed on this engine from the next one on; without a name, on the
    installation's. Returns which it is now. Results are the same on each; work that is under way stays where it is.

    Raises Refusal where the engine is unknown, or cannot run in this installation.
    """
    actor.require(MANAGE)
    if not actor.is_system and actor.organisation_id != society.pk:
        raise Forbidden(say("Only the society’s own administrators set where it computes."))
    if engine and engine not in EngineChoice.Name.values:
        raise Refusal("unknown_engine", say("There are two engines: duckdb and spark."), pointer="/engine")
    if engine == EngineChoice.Name.SPARK:
        try:
            spark.check()
        except ImproperlyConfigured as error:
            raise Refusal("engine_cannot_run", str(error), pointer="/engine") from error
    locked = Organisation.objects.select_for_update().get(pk=society.pk)
    before = chosen(locked)
    if engine == before:
        return name_of(society.pk)
    if engine:
        EngineChoice.objects.update_or_create(society=locked, defaults={"engine": engine})
    else:
        EngineChoice.objects.filter(society=locked).delete()
    data = {"before": before or settings.ENGINE, "now": engine or settings.ENGINE}
    record(
        actor=actor,
        verb="engine.chosen",
        object=Reference("organisation", locked.pk),
        organisation_id=locked.pk,
        data=data,
    )
    return name_of(society.pk)


def chosen(society: Organisation) -> str:
    """What the society chose, or nothing where the installation's engine computes."""
    found = EngineChoice.objects.filter(society=society).first()
    return found.engine if found else ""
