"""A rate body decides on a proposed version: for the time being, as proposed, with changes, or not. Never the society."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Forbidden, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs.models import PRICING, Decision, Tariff, TariffVersion
from licensing.tariffs.services import telling
from licensing.tariffs.services.common import (
    already_decided,
    check_not_its_staff,
    check_rate_body,
    held,
    move,
    note,
    parsed,
    said,
)
from licensing.tariffs.services.drafting import check_currency, columns
from licensing.tariffs.services.finding import next_version

Status = TariffVersion.Status
Outcome = Decision.Outcome


@transaction.atomic
def determine(*, actor: Actor, version: TariffVersion, reasons: str = "") -> TariffVersion:
    """Put a version in force for its days as it was proposed, or confirm one that is in force for the time being.

    An earlier version without an end stops where this one starts.
    """
    version = held(version)
    body = _deciding_body(actor, version)
    _check_ripe(version)
    if version.published_at is not None:
        reasons = _reasons(reasons)
    decided = determine_for(actor, version, body, reasons=said(reasons, pointer="/reasons"))
    telling.of_decision(decided)
    return decided


@transaction.atomic
def set_interim(*, actor: Actor, version: TariffVersion, reasons: str) -> TariffVersion:
    """Let a proposed version price for the time being. What it priced is put right once the body decides for good."""
    version = held(version)
    body = _deciding_body(actor, version)
    reasons = _reasons(reasons)
    if version.published_at is not None:
        _check_days_are_free(version.tariff, version.valid)
    _put_in_force(actor, version, body, (Status.PROPOSED,), Status.INTERIM)
    _decide(version, body, Outcome.INTERIM, reasons, version)
    note(actor, "set_interim", version, body=body.ref, sha256=version.sha256)
    version.refresh_from_db()
    telling.of_decision(version)
    return version


@transaction.atomic
def amend(*, actor: Actor, version: TariffVersion, document: Any, reasons: str) -> TariffVersion:
    """Determine another text in place of the one proposed: a version of its own, with the tariff's next number.

    In place of an interim version it prices from that one's first day, and every day that was priced stays priced.
    """
    version = held(version)
    body = _deciding_body(actor, version)
    _check_ripe(version)
    reasons = _reasons(reasons)
    if version.status not in (Status.PROPOSED, Status.INTERIM):
        raise already_decided()
    changed = _amended_columns(version, document)
    was_interim = version.status == Status.INTERIM
    if was_interim:
        _check_takes_all_days(version, changed["valid"])
    elif version.published_at is not None:
        _check_days_are_free(version.tariff, changed["valid"])
    if not move(version, (version.status,), Status.REPLACED if was_interim else Status.AMENDED):
        raise already_decided()
    _supersede(actor, version.tariff, changed["version"], changed["valid"].lower)
    with _one_version_a_day():
        result = TariffVersion.objects.create(
            **changed,
            tariff=version.tariff,
            status=Status.DETERMINED,
            amends=version,
            determined_by=body,
            determined_at=timezone.now(),
        )
    Tariff.objects.filter(pk=version.tariff_id).update(name=result.document["name"])
    _decide(version, body, Outcome.AMENDED, reasons, result)
    note(actor, "replaced" if was_interim else "amended", version, body=body.ref, by=result.version)
    note(actor, "determined", result, body=body.ref, sha256=result.sha256)
    version.refresh_from_db()
    telling.of_decision(version)
    return result


@transaction.atomic
def refuse(*, actor: Actor, version: TariffVersion, reason: str) -> TariffVersion:
    """Turn a proposed version down, with the reason that everybody reads."""
    version = held(version)
    body = _deciding_body(actor, version)
    _check_ripe(version)
    reason = said(reason, pointer="/reason")
    if not reason:
        raise Refusal(
            "reason_missing", _("Say why, so that the society can propose a better version."), pointer="/reason"
        )
    if version.status == Status.INTERIM:
        raise Conflict(
            "in_force_for_now",
            _("This version prices for the time being. Confirm it, or determine another text in its place."),
        )
    if not move(version, (Status.PROPOSED,), Status.REFUSED):
        raise already_decided()
    _decide(version, body, Outcome.REFUSED, reason, None)
    note(actor, "refused", version, body=body.ref, reason=reason[:2000])
    version.refresh_from_db()
    telling.of_decision(version)
    return version


def determine_for(actor: Actor, version: TariffVersion, body: Organisation, *, reasons: str = "") -> TariffVersion:
    """Record this body's approval and put the version in force."""
    version = held(version)
    _check_addressed(version, body)
    _check_ripe(version)
    if version.published_at is not None and version.status == Status.PROPOSED:
        _check_days_are_free(version.tariff, version.valid)
    _put_in_force(actor, version, body, (Status.PROPOSED, Status.INTERIM), Status.DETERMINED)
    _decide(version, body, Outcome.APPROVED, reasons, version)
    note(actor, "determined", version, body=body.ref, sha256=version.sha256)
    version.refresh_from_db()
    return version


def may_decide(actor: Actor, version: TariffVersion) -> bool:
    """Whether a decision on this version is the actor's to take (whether it may be taken yet is another matter)."""
    open_still = version.status in (Status.PROPOSED, Status.INTERIM)
    ours = version.addressed_to_id in (None, actor.organisation_id)
    return open_still and ours and actor.organisation_kind == "rate_body" and actor.can("tariffs.determine")


def _put_in_force(
    actor: Actor, version: TariffVersion, body: Organisation, before: tuple[str, ...], after: str
) -> None:
    _supersede(actor, version.tariff, version.version, version.valid.lower)
    with _one_version_a_day():
        decided = move(version, before, after, determined_by=body, determined_at=timezone.now())
    if not decided:
        raise already_decided()
    Tariff.objects.filter(pk=version.tariff_id).update(name=version.document["name"])


def _decide(
    version: TariffVersion, body: Organisation, outcome: str, reasons: str, result: TariffVersion | None
) -> None:
    Decision.objects.create(
        version=version, body=body, outcome=outcome, reasons=reasons, result=result, decided_at=timezone.now()
    )


def _supersede(actor: Actor, tariff: Tariff, number: int, start: datetime.date) -> None:
    """End the version without an end that this later one follows."""
    earlier = tariff.versions.filter(
        status__in=PRICING, version__lt=number, valid__upper_inf=True, valid__startswith__lt=start
    ).first()
    if earlier is not None:
        TariffVersion.objects.filter(pk=earlier.pk).update(valid=DateRange(earlier.valid.lower, start))
        note(actor, "superseded", earlier, until=start.isoformat(), by=number)


@contextmanager
def _one_version_a_day() -> Iterator[None]:
    """A savepoint in which two prices for one day are refused in words."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "tariff_has_one_version_in_force_a_day" not in str(error):
            raise
        raise Conflict(
            "version_overlaps",
            _("Another determined version of this tariff is in force on some of these days. Propose other days."),
        ) from error


def _amended_columns(version: TariffVersion, document: Any) -> dict[str, Any]:
    """The body's text under the next number; refused where it is of another tariff, or changes nothing."""
    tariff = version.tariff
    if isinstance(document, dict):
        document = document | {"version": next_version(tariff)}
    schedule = parsed(document)
    if schedule.tariff != tariff.ref:
        raise Refusal(
            "other_tariff", _("The text must be of the tariff “%(ref)s”.") % {"ref": tariff.ref}, pointer="/tariff"
        )
    check_currency(tariff, schedule)
    changed = columns(document, schedule) | {"version": schedule.version}
    if document | {"version": version.version} == version.document:
        raise Refusal(
            "nothing_changed", _("The text is the one proposed. Approve it, or change it."), pointer="/document"
        )
    return changed


def _check_ripe(version: TariffVersion) -> None:
    """A version is decided once everybody could have their say; an operator's record needs no consultation here."""
    if version.status == Status.DRAFT:
        raise Conflict("not_published", _("This version is not published yet."))
    if version.status not in (Status.PROPOSED, Status.INTERIM):
        raise already_decided()
    if version.consultation is not None and timezone.localdate() < version.consultation.upper:
        raise Conflict(
            "consultation_is_open",
            _("The consultation is open until %(day)s. Decide after that; until then you may set interim rates.")
            % {"day": version.consultation.upper - datetime.timedelta(days=1)},
        )


def _check_days_are_free(tariff: Tariff, valid: Any) -> None:
    """Rates reach back only over days that were never priced: what licensees paid is not changed behind their backs."""
    today = timezone.localdate()
    until = min(today, valid.upper or today)
    if valid.lower >= until:
        return
    if tariff.versions.filter(status__in=PRICING, valid__overlap=DateRange(valid.lower, until)).exists():
        raise Refusal(
            "days_already_priced",
            _("Some of these days are past and were priced already. Determine it with a later first day."),
            pointer="/valid_from",
        )


def _check_takes_all_days(interim: TariffVersion, valid: Any) -> None:
    if valid.lower != interim.valid.lower:
        raise Refusal(
            "not_from_the_first_day",
            _("It takes the place of the interim version, so it begins on the same day: %(day)s.")
            % {"day": interim.valid.lower},
            pointer="/valid_from",
        )
    today = timezone.localdate()
    until = min(interim.valid.upper or today, today)
    if valid.upper is not None and valid.upper < until:
        raise Refusal(
            "leaves_days_unpriced",
            _("Days that the interim version has priced would be left without a price. Let it end later."),
            pointer="/valid_to",
        )


def _deciding_body(actor: Actor, version: TariffVersion) -> Organisation:
    """The rate body for which the actor decides: never the society that proposed, nor somebody who works there too."""
    actor.require("tariffs.determine")
    body = Organisation.objects.filter(pk=actor.organisation_id or 0).first()
    if body is None:
        raise Forbidden(_("Only the staff of a rate body determine tariffs."))
    check_rate_body(body, version.tariff.society)
    _check_addressed(version, body)
    check_not_its_staff(actor, version.tariff.society)
    return body


def _check_addressed(version: TariffVersion, body: Organisation) -> None:
    if version.addressed_to_id not in (None, body.pk):
        raise Forbidden(_("This proposal is put to another rate body, which decides on it."))


def _reasons(text: str) -> str:
    reasons = said(text, pointer="/reasons")
    if not reasons:
        raise Refusal(
            "reason_missing", _("Give the reasons of the decision: everybody reads them."), pointer="/reasons"
        )
    return reasons
