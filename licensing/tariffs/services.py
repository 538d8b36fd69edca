"""What is done with tariffs: a society proposes a version, a rate body determines or refuses it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs import core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.reading import BadDocument


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
        _check_rate_body(determined_by, society)
        if not actor.is_system:
            raise Forbidden(_("A society cannot determine its own tariff. Leave the decision to the rate body."))
    version, created = _proposed(actor, society, document)
    if determined_by is not None and version.status == TariffVersion.Status.PROPOSED:
        version = _determine(actor, version, determined_by)
        return Imported(version, "created" if created else "updated")
    return Imported(version, "created" if created else "unchanged")


@transaction.atomic
def propose(*, actor: Actor, society: Organisation, document: Any) -> TariffVersion:
    """Put a version on record as proposed. It prices nothing until a rate body determines it."""
    return _proposed(actor, society, document)[0]


@transaction.atomic
def determine(*, actor: Actor, version: TariffVersion) -> TariffVersion:
    """Put a proposed version in force for its days. An earlier one without an end stops where this one starts."""
    return _determine(actor, version, _deciding_body(actor, version))


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
    _note(actor, "refused", version, body=body.ref, reason=reason.strip()[:2000])
    version.refresh_from_db()
    return version


def find_tariff(*, society: Organisation, ref: str) -> Tariff:
    tariff = Tariff.objects.filter(society=society, ref=ref).first()
    if tariff is None:
        raise NotFound(_("%(society)s has no tariff “%(ref)s”.") % {"society": society.ref, "ref": ref})
    return tariff


def version_in_force(tariff: Tariff, day: datetime.date) -> TariffVersion | None:
    """The determined version whose days include this one."""
    return tariff.versions.in_force(day).first()


def version_for_period(tariff: Tariff, start: datetime.date, end: datetime.date) -> TariffVersion:
    """The one version that prices a billing period: in force on its first day, and on all the others.

    Tiers count a whole period, so a period under two versions has no single price: it must be billed in parts.
    """
    version = version_in_force(tariff, start)
    if version is None:
        raise Refusal(
            "no_tariff_in_force",
            _(
                "No determined version of the tariff “%(tariff)s” is in force on %(day)s. "
                "A rate body has to determine one."
            )
            % {"tariff": tariff.ref, "day": start},
        )
    until = version.valid.upper
    if until is not None and until < end:
        raise Refusal(
            "tariff_changes_in_period",
            _(
                "Version %(version)s of the tariff “%(tariff)s” ends on %(split)s, inside this period. "
                "Use one period up to %(split)s and another from that day."
            )
            % {"version": version.version, "tariff": tariff.ref, "split": until},
        )
    return version


def next_version(tariff: Tariff) -> int:
    """The number that the tariff's next version would naturally carry."""
    return (tariff.versions.aggregate(last=Max("version"))["last"] or 0) + 1


def _proposed(actor: Actor, society: Organisation, document: Any) -> tuple[TariffVersion, bool]:
    """The version with this content, and whether it is new."""
    _check_society(actor, society)
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
        _note(actor, "proposed", version, sha256=sha256)
    return version, created


def _determine(actor: Actor, version: TariffVersion, body: Organisation) -> TariffVersion:
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
    _note(actor, "determined", version, body=body.ref, sha256=version.sha256)
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
        _note(actor, "superseded", earlier, until=start.isoformat(), by=version.version)


def _check_society(actor: Actor, society: Organisation) -> None:
    if society.kind != Organisation.Kind.SOCIETY:
        raise Refusal(
            "not_a_society", _("“%(ref)s” is not a society: only societies have tariffs.") % {"ref": society.ref}
        )
    actor.require("tariffs.manage")
    if not actor.is_system and actor.organisation_id != society.pk:
        raise Forbidden(_("A tariff is proposed by the society itself."))


def _check_rate_body(body: Organisation, society: Organisation) -> None:
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
    _check_rate_body(body, version.tariff.society)
    return body


def _already_decided() -> Conflict:
    return Conflict("already_decided", _("This version was decided before. Propose a new version to change it."))


def _note(actor: Actor, what: str, version: TariffVersion, **data: Any) -> None:
    tariff = version.tariff
    record(
        actor=actor,
        verb=f"tariff_version.{what}",
        object=Reference("tariff_version", version.pk),
        organisation_id=tariff.society_id,
        data={"tariff": tariff.ref, "version": version.version, **data},
    )
