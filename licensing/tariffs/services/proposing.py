"""A society puts a version on record; an operator also records a decision made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Forbidden
from accounts.organisations.models import Organisation
from licensing.tariffs import core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.reading import BadDocument
from licensing.tariffs.services.common import check_society, note
from licensing.tariffs.services.deciding import check_rate_body, determine_for
from licensing.tariffs.services.finding import next_version


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
    try:
        schedule = core.parse(document)
    except BadDocument as bad:
        raise bad.translated(_) from None
    tariff, _new = Tariff.objects.get_or_create(
        society=society, ref=schedule.tariff, defaults={"name": schedule.name, "currency": schedule.currency}
    )
    if tariff.currency != schedule.currency:
        raise Conflict(
            "other_currency",
            _("The tariff “%(ref)s” is in %(currency)s. Use another name for one in another currency.")
            % {"ref": tariff.ref, "currency": tariff.currency},
            pointer="/currency",
        )
    sha256 = core.digest(document)
    version, created = TariffVersion.objects.get_or_create(
        tariff=tariff,
        version=schedule.version,
        defaults={
            "document": document,
            "sha256": sha256,
            "valid": DateRange(schedule.valid_from, schedule.valid_to),
        },
    )
    if version.sha256 != sha256:
        raise Conflict(
            "version_exists",
            _(
                "Version %(version)s of “%(ref)s” exists with other content. "
                "Give the changed document the number %(next)s."
            )
            % {"version": version.version, "ref": tariff.ref, "next": next_version(tariff)},
            pointer="/version",
        )
    if created:
        note(actor, "proposed", version, sha256=sha256)
    return version, created
