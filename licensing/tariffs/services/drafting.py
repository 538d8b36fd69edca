"""A society writes a version down before anybody else sees it: drafted, revised, discarded, its effect worked out."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs import core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.services.common import check_society, held, note, parsed
from licensing.tariffs.services.finding import next_version

Status = TariffVersion.Status
FIGURES: Final = frozenset(
    {"since", "until", "licences", "before", "after", "by_tier", "currency", "left_out", "withheld"}
)


@transaction.atomic
def draft(*, actor: Actor, society: Organisation, document: Any) -> TariffVersion:
    """A version that only its society sees, and may still change or discard. It prices nothing."""
    check_society(actor, society)
    schedule = parsed(document)
    tariff = tariff_for(society, schedule)
    version, created = TariffVersion.objects.get_or_create(
        tariff=tariff, version=schedule.version, defaults=columns(document, schedule) | {"status": Status.DRAFT}
    )
    if not created:
        raise version_exists(version)
    note(actor, "drafted", version, sha256=version.sha256)
    return version


@transaction.atomic
def revise(*, actor: Actor, version: TariffVersion, document: Any) -> TariffVersion:
    """Give a draft another text. Figures that were worked out for the text before go."""
    version = own_draft(actor, version)
    schedule = parsed(document)
    tariff = version.tariff
    if schedule.tariff != tariff.ref:
        raise Conflict(
            "other_tariff",
            _("This is a draft of the tariff “%(ref)s”. Draft another tariff by itself.") % {"ref": tariff.ref},
            pointer="/tariff",
        )
    check_currency(tariff, schedule)
    other = tariff.versions.filter(version=schedule.version).exclude(pk=version.pk).first()
    if other is not None:
        raise version_exists(other)
    changed = columns(document, schedule) | {"version": schedule.version}
    if changed["sha256"] != version.sha256:
        TariffVersion.objects.filter(pk=version.pk, status=Status.DRAFT).update(**changed, figures={})
        version.refresh_from_db()
        note(actor, "revised", version, sha256=version.sha256)
    return version


@transaction.atomic
def discard(*, actor: Actor, version: TariffVersion) -> None:
    """Delete a draft, and its tariff where this was all there was of it."""
    version = own_draft(actor, version)
    note(actor, "discarded", version, sha256=version.sha256)
    tariff = version.tariff
    version.delete()
    if not tariff.versions.exists():
        tariff.delete()


@transaction.atomic
def state_figures(*, actor: Actor, version: TariffVersion, figures: dict[str, Any]) -> TariffVersion:
    """Keep the predicted effect as it was worked out from what licensees declared; published with the proposal."""
    version = own_draft(actor, version)
    if not set(figures) <= FIGURES:
        raise Refusal("unknown_figures", _("These are not the figures of a predicted effect."))
    TariffVersion.objects.filter(pk=version.pk, status=Status.DRAFT).update(figures=figures)
    note(actor, "effect_worked_out", version)
    version.refresh_from_db()
    return version


def own_draft(actor: Actor, version: TariffVersion) -> TariffVersion:
    """The draft as it is now, held; absent for everybody but its society."""
    if not TariffVersion.objects.visible_to(actor).filter(pk=version.pk).exists():
        raise NotFound(_("There is no such version."))
    version = held(version)
    check_society(actor, version.tariff.society)
    if version.status != Status.DRAFT:
        raise Conflict("not_a_draft", _("This version was published: it can no longer be changed."))
    return version


def tariff_for(society: Organisation, schedule: core.Schedule) -> Tariff:
    """The society's tariff of that name, made where it is new."""
    tariff, _new = Tariff.objects.get_or_create(
        society=society, ref=schedule.tariff, defaults={"name": schedule.name, "currency": schedule.currency}
    )
    check_currency(tariff, schedule)
    return tariff


def check_currency(tariff: Tariff, schedule: core.Schedule) -> None:
    if tariff.currency != schedule.currency:
        raise Conflict(
            "other_currency",
            _("The tariff “%(ref)s” is in %(currency)s. Use another name for one in another currency.")
            % {"ref": tariff.ref, "currency": tariff.currency},
            pointer="/currency",
        )


def columns(document: Any, schedule: core.Schedule) -> dict[str, Any]:
    """What a document says, as a version keeps it."""
    return {
        "document": document,
        "sha256": core.digest(document),
        "valid": DateRange(schedule.valid_from, schedule.valid_to),
    }


def version_exists(version: TariffVersion) -> Conflict:
    return Conflict(
        "version_exists",
        _("Version %(version)s of “%(ref)s” exists with other content. Give the changed document the number %(next)s.")
        % {"version": version.version, "ref": version.tariff.ref, "next": next_version(version.tariff)},
        pointer="/version",
    )
