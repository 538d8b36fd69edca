"""What every step of the procedure shares: who may take it, and the evidence that it was taken."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Forbidden, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs.models import TariffVersion


def check_society(actor: Actor, society: Organisation) -> None:
    if society.kind != Organisation.Kind.SOCIETY:
        raise Refusal(
            "not_a_society", _("“%(ref)s” is not a society: only societies have tariffs.") % {"ref": society.ref}
        )
    actor.require("tariffs.manage")
    if not actor.is_system and actor.organisation_id != society.pk:
        raise Forbidden(_("A tariff is proposed by the society itself."))


def note(actor: Actor, what: str, version: TariffVersion, **data: Any) -> None:
    tariff = version.tariff
    record(
        actor=actor,
        verb=f"tariff_version.{what}",
        object=Reference("tariff_version", version.pk),
        organisation_id=tariff.society_id,
        data={"tariff": tariff.ref, "version": version.version, **data},
    )
