"""A rate body determines or refuses a proposed version; never the society that proposed it."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Forbidden, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.services.common import note


@transaction.atomic
def determine(*, actor: Actor, version: TariffVersion) -> TariffVersion:
    """Put a proposed version in force for its days. An earlier one without an end stops where this one starts."""
    return determine_for(actor, version, _deciding_body(actor, version))


@transaction.atomic
def refuse(*, actor: Actor, version: TariffVersion, reason: str) -> TariffVersion:
    """Turn a proposed version down, with the reason that the society is told."""
    body = _deciding_body(actor, version)
    if not reason.strip():
        raise Refusal(
            "reason_missing", _("Say why, so that the society can propose a better version."), pointer="/reason"
        )
    proposed = TariffVersion.objects.filter(pk=version.pk, status=TariffVersion.Status.PROPOSED)
    if proposed.update(status=TariffVersion.Status.REFUSED) != 1:
        raise _already_decided()
    note(actor, "refused", version, body=body.ref, reason=reason.strip()[:2000])
    version.refresh_from_db()
    return version


def determine_for(actor: Actor, version: TariffVersion, body: Organisation) -> TariffVersion:
    tariff = Tariff.objects.select_for_update().get(pk=version.tariff_id)  # one decision on a tariff at a time
    _supersede(actor, tariff, version)
    try:
        with transaction.atomic():
            decided = TariffVersion.objects.filter(pk=version.pk, status=TariffVersion.Status.PROPOSED).update(
                status=TariffVersion.Status.DETERMINED, determined_by=body, determined_at=timezone.now()
            )
    except IntegrityError as error:
        if "tariff_has_one_version_in_force_a_day" not in str(error):
            raise
        raise Conflict(
            "version_overlaps",
            _("Another determined version of this tariff is in force on some of these days. Propose other days."),
        ) from error
    if decided != 1:
        raise _already_decided()
    Tariff.objects.filter(pk=tariff.pk).update(name=version.document["name"])
    note(actor, "determined", version, body=body.ref, sha256=version.sha256)
    version.refresh_from_db()
    return version


def _supersede(actor: Actor, tariff: Tariff, version: TariffVersion) -> None:
    """End the version without an end that this later one replaces."""
    start = version.valid.lower
    earlier = tariff.versions.filter(
        status=TariffVersion.Status.DETERMINED,
        version__lt=version.version,
        valid__upper_inf=True,
        valid__startswith__lt=start,
    ).first()
    if earlier is not None:
        TariffVersion.objects.filter(pk=earlier.pk).update(valid=DateRange(earlier.valid.lower, start))
        note(actor, "superseded", earlier, until=start.isoformat(), by=version.version)


def check_rate_body(body: Organisation, society: Organisation) -> None:
    if body.kind != Organisation.Kind.RATE_BODY or body.pk == society.pk:
        raise Refusal(
            "not_a_rate_body", _("“%(ref)s” is not a rate body, so it cannot determine tariffs.") % {"ref": body.ref}
        )


def _deciding_body(actor: Actor, version: TariffVersion) -> Organisation:
    """The rate body for which the actor decides: never the society that proposed the version."""
    actor.require("tariffs.determine")
    body = Organisation.objects.filter(pk=actor.organisation_id or 0).first()
    if body is None:
        raise Forbidden(_("Only the staff of a rate body determine tariffs."))
    check_rate_body(body, version.tariff.society)
    return body


def _already_decided() -> Conflict:
    return Conflict("already_decided", _("This version was decided before. Propose a new version to change it."))
