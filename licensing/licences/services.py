"""What is done with licences: granted by a society, activated, suspended, resumed, terminated, expired."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import Any

from babel import Locale
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.models import Event
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import REF, Organisation
from licensing import terms
from licensing.licences.core import TRANSITIONS
from licensing.licences.models import Licence
from licensing.tariffs.models import Tariff, TariffVersion

ANYTHING = (terms.ANY,)


@transaction.atomic
def create_licence(
    *,
    actor: Actor,
    ref: str,
    society: Organisation,
    licensee: Organisation,
    tariff: Tariff,
    uses: Collection[str],
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
    kinds: Collection[str] = ANYTHING,
    territory: Collection[str] = ANYTHING,
    ai_models: Collection[str] = (),
    datasets: Collection[str] = (),
    tier: str = "",
    status: str = Licence.Status.ACTIVE,
) -> Licence:
    """Grant a licence, as `draft` or `active`. `valid_to` is the first day after its term.

    The same licence again gives the one that exists; the same ref with other terms is a Conflict.
    """
    _check_society(actor, society)
    _check_parties(society, licensee, tariff)
    wanted = {
        "society": society,
        "licensee": licensee,
        "tariff": tariff,
        "uses": checked_codes(uses, terms.USES, "/uses"),
        "kinds": checked_codes(kinds, terms.KINDS, "/kinds"),
        "territory": checked_territory(territory),
        "ai_models": _names(ai_models, "/ai_models"),
        "datasets": _names(datasets, "/datasets"),
        "valid": _term(valid_from, valid_to),
        "tier": tier.strip(),
    }
    _check_ref_and_tier(ref, tier)
    _check_tariff_in_term(tariff, wanted["valid"])
    if status not in (Licence.Status.DRAFT, Licence.Status.ACTIVE):
        raise Refusal("bad_status", _("A new licence is a draft or active."), pointer="/status")
    licence, created = Licence.objects.get_or_create(ref=ref, defaults=wanted | {"status": status})
    if not created:
        return _the_same(licence, wanted)
    _note(actor, "created", licence, status=status, licensee=licensee.ref, tariff=tariff.ref)
    return licence


def find_licence(*, actor: Actor, ref: str, pointer: str | None = None) -> Licence:
    """The licence of this ref among those that the actor sees. Raises NotFound."""
    found = Licence.objects.visible_to(actor).select_related("society", "licensee", "tariff").filter(ref=ref).first()
    if found is None:
        raise NotFound(_("There is no licence “%(ref)s”.") % {"ref": ref[:64]}, pointer=pointer)
    return found


@transaction.atomic
def activate(*, actor: Actor, licence: Licence) -> Licence:
    """Put a draft in force for its term."""
    return _move(actor, licence, "activate", "activated")


@transaction.atomic
def suspend(*, actor: Actor, licence: Licence, reason: str = "") -> Licence:
    """Stop a licence: from now on it licenses nothing, until it is resumed."""
    return _move(
        actor, licence, "suspend", "suspended", on=timezone.localdate().isoformat(), reason=reason.strip()[:2000]
    )


@transaction.atomic
def resume(*, actor: Actor, licence: Licence) -> Licence:
    """Lift a suspension."""
    return _move(actor, licence, "resume", "resumed")


@transaction.atomic
def terminate(*, actor: Actor, licence: Licence, on: datetime.date, reason: str = "") -> Licence:
    """End the term early: `on` is the first day that is no longer licensed. Use before it stays licensed.

    A suspended licence ends on the day of its suspension at the latest.
    """
    since, until = licence.valid.lower, licence.valid.upper
    if on <= since or (until is not None and on > until):
        raise Refusal(
            "outside_term",
            _("The end must lie within the term, after %(first)s. A licence that never ran is left suspended.")
            % {"first": since},
            pointer="/on",
        )
    if licence.status == Licence.Status.SUSPENDED and on > (stopped := _suspended_on(licence)):
        raise Refusal(
            "after_suspension",
            _("This licence is suspended since %(day)s. End it on that day or before, or resume it first.")
            % {"day": stopped},
            pointer="/on",
        )
    term = DateRange(since, on)
    return _move(
        actor,
        licence,
        "terminate",
        "terminated",
        fields={"valid": term},
        on=on.isoformat(),
        reason=reason.strip()[:2000],
    )


def expire_due(*, actor: Actor, today: datetime.date) -> int:
    """Mark active licences whose term is over; how many."""
    due = Licence.objects.filter(status=Licence.Status.ACTIVE, valid__endswith__lte=today)
    return sum(_expire(actor, licence) for licence in due)


@transaction.atomic
def _expire(actor: Actor, licence: Licence) -> bool:
    if not _change(licence, "expire"):
        return False  # another worker was first, or the licence was just terminated
    _note(actor, "expired", licence)
    return True


def _move(
    actor: Actor, licence: Licence, verb: str, said: str, *, fields: dict[str, Any] | None = None, **data: Any
) -> Licence:
    """One transition by the society's staff, by compare-and-set."""
    _check_society(actor, licence.society)
    if not _change(licence, verb, **(fields or {})):
        licence.refresh_from_db()
        raise Conflict(
            "wrong_status",
            _("The licence “%(ref)s” is %(status)s, so this cannot be done.")
            % {"ref": licence.ref, "status": licence.get_status_display()},
        )
    _note(actor, said, licence, **data)
    licence.refresh_from_db()
    return licence


def _change(licence: Licence, verb: str, **fields: Any) -> bool:
    """Whether the licence still stood, with this term, where the transition starts, and so was moved."""
    before, after = TRANSITIONS[verb]
    standing = Licence.objects.filter(pk=licence.pk, status__in=before, valid=licence.valid)
    if licence.status in before:
        standing = standing.filter(status=licence.status)
    return standing.update(status=after, **fields) == 1


def _suspended_on(licence: Licence) -> datetime.date:
    event = Event.objects.about("licence", licence.pk).filter(verb="licence.suspended").order_by("-id").first()
    return datetime.date.fromisoformat(event.data["on"]) if event else licence.valid.lower


def _the_same(licence: Licence, wanted: dict[str, Any]) -> Licence:
    differing = [name for name, value in wanted.items() if getattr(licence, name) != value]
    if differing:
        raise Conflict(
            "licence_exists",
            _("A licence “%(ref)s” exists with other terms. Use another reference.") % {"ref": licence.ref},
            pointer="/ref",
        )
    return licence


def _check_society(actor: Actor, society: Organisation) -> None:
    actor.require("licences.manage")
    if not actor.is_system and actor.organisation_id != society.pk:
        raise Forbidden(_("A licence is managed by the society that grants it."))


def _check_parties(society: Organisation, licensee: Organisation, tariff: Tariff) -> None:
    if society.kind != Organisation.Kind.SOCIETY:
        raise Refusal("not_a_society", _("“%(ref)s” is not a society.") % {"ref": society.ref}, pointer="/society")
    if licensee.kind != Organisation.Kind.LICENSEE:
        raise Refusal("not_a_licensee", _("“%(ref)s” is not a licensee.") % {"ref": licensee.ref}, pointer="/licensee")
    if tariff.society_id != society.pk:
        raise Refusal(
            "tariff_of_another_society",
            _("“%(tariff)s” is not a tariff of %(society)s.") % {"tariff": tariff.ref, "society": society.ref},
            pointer="/tariff",
        )


def _check_tariff_in_term(tariff: Tariff, term: DateRange) -> None:
    determined = tariff.versions.filter(status=TariffVersion.Status.DETERMINED, valid__overlap=term)
    if not determined.exists():
        raise Refusal(
            "tariff_not_in_force",
            _("No determined version of “%(tariff)s” is in force in this term. A rate body has to determine one first.")
            % {"tariff": tariff.ref},
            pointer="/tariff",
        )


def _check_ref_and_tier(ref: str, tier: str) -> None:
    try:
        REF(ref)
    except ValidationError as error:
        raise Refusal("bad_ref", error.messages[0], pointer="/ref") from error
    if len(tier.strip()) > 40 or not tier.isprintable():
        raise Refusal("bad_tier", _("A tier's name has at most 40 printable characters."), pointer="/tier")


def _term(valid_from: datetime.date, valid_to: datetime.date | None) -> DateRange:
    if valid_to is not None and valid_to <= valid_from:
        raise Refusal(
            "empty_term",
            _("The end is the first day after the term: it must be later than the start."),
            pointer="/valid_to",
        )
    return DateRange(valid_from, valid_to)


def checked_codes(codes: Collection[str], known: Collection[str], pointer: str) -> list[str]:
    """Sorted codes, or `*` alone."""
    found = {code.strip() for code in codes}
    unknown = sorted(found - {*known, terms.ANY})
    if unknown or not found:
        raise Refusal(
            "unknown_term",
            _("Use one or more of: %(known)s. Not: %(unknown)s.")
            % {"known": ", ".join([*known, terms.ANY]), "unknown": ", ".join(unknown)[:100] or "–"},
            pointer=pointer,
        )
    return [terms.ANY] if terms.ANY in found else sorted(found)


def checked_territory(codes: Collection[str]) -> list[str]:
    names = map(str, Locale.parse("en").territories)
    countries = [code for code in names if len(code) == 2 and code.isalpha()]
    try:
        return checked_codes([code.upper() for code in codes], countries, "/territory")
    except Refusal as error:
        raise Refusal(
            "unknown_territory",
            _("Write territories as two-letter country codes, such as KR, or * for all."),
            pointer="/territory",
        ) from error


def _names(names: Collection[str], pointer: str) -> list[str]:
    """Names of models or datasets, sorted, each once."""
    found = sorted({name.strip() for name in names} - {""})
    if any(len(name) > 200 or not name.isprintable() for name in found) or len(found) > 500:
        raise Refusal(
            "bad_name",
            _("At most 500 names of at most 200 printable characters each are allowed here."),
            pointer=pointer,
        )
    return found


def _note(actor: Actor, what: str, licence: Licence, **data: Any) -> None:
    record(
        actor=actor,
        verb=f"licence.{what}",
        object=Reference("licence", licence.pk),
        organisation_id=licence.society_id,
        data={"ref": licence.ref, **data},
    )
