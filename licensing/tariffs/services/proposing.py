"""An operator puts on record what was proposed and decided elsewhere. A society drafts and publishes instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Forbidden
from accounts.organisations.models import Organisation
from licensing.tariffs import core
from licensing.tariffs.models import TariffVersion
from licensing.tariffs.services.common import check_rate_body, check_society, move, note, parsed
from licensing.tariffs.services.deciding import determine_for
from licensing.tariffs.services.drafting import columns, tariff_for, version_exists


@dataclass(frozen=True, slots=True)
class Imported:
    """A version as it stands after an import, and whether this import `created`, `updated` or left it `unchanged`."""

    version: TariffVersion
    outcome: str


@transaction.atomic
def import_tariff(
    *, actor: Actor, society: Organisation, document: Any, determined_by: Organisation | None = None
) -> Imported:
    """Propose the version that this document holds and, where a rate body's decision is recorded, determine it.

    The same version with the same content changes nothing; with other content it is a Conflict. Only an operator of the
    system records the decision of `determined_by`; a rate body's own staff use `determine`.
    """
    if determined_by is not None:
        check_rate_body(determined_by, society)
        if not actor.is_system:
            raise Forbidden(_("A society cannot determine its own tariff. Leave the decision to the rate body."))
    version, created = _proposed(actor, society, document)
    if determined_by is not None and version.status == TariffVersion.Status.PROPOSED:
        version = determine_for(actor, version, determined_by)
        return Imported(version, "created" if created else "updated")
    return Imported(version, "created" if created else "unchanged")


@transaction.atomic
def propose(*, actor: Actor, society: Organisation, document: Any) -> TariffVersion:
    """Put a version on record as proposed. It prices nothing until a rate body determines it."""
    return _proposed(actor, society, document)[0]


def _proposed(actor: Actor, society: Organisation, document: Any) -> tuple[TariffVersion, bool]:
    """The version with this content, and whether it is new."""
    check_society(actor, society)
    if not actor.is_system:
        raise Forbidden(_("Draft the version and publish it with your reasons: a consultation comes first."))
    schedule = parsed(document)
    tariff = tariff_for(society, schedule)
    version, created = TariffVersion.objects.get_or_create(
        tariff=tariff,
        version=schedule.version,
        defaults=columns(document, schedule) | {"status": TariffVersion.Status.PROPOSED},
    )
    if version.sha256 != core.digest(document):
        raise version_exists(version)
    if created or move(version, (TariffVersion.Status.DRAFT,), TariffVersion.Status.PROPOSED):
        version.refresh_from_db()
        note(actor, "proposed", version, sha256=version.sha256)
    return version, created
