"""Statutory schemes: put on record as documents, and what those that are switched on allow (`scheme_switching`)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal, say
from accounts.organisations.models import Organisation
from accounts.organisations.services import find_organisation
from licensing import terms
from licensing.intake.importing import check_society
from licensing.licences.services import checked_codes, checked_territory
from licensing.permissions.core import Grant, Span
from licensing.permissions.models import StatutoryScheme
from licensing.tariffs.core import parse
from licensing.tariffs.models import Tariff, TariffVersion

MANAGE: Final = "organisation.manage"
MOST_BYTES: Final = 100_000
_TEXTS: Final = {"scheme": 64, "name": 200, "name_ko": 200, "source": 500}
_REQUIRED: Final = ("scheme", "name", "uses", "kinds", "territory", "valid_from")
_KEYS: Final = frozenset({*_REQUIRED, "name_ko", "source", "valid_to", "body", "tariff"})


@dataclass(frozen=True, slots=True)
class ImportedScheme:
    """A scheme on record, and whether this import `created` it, `updated` it or left it `unchanged`."""

    scheme: StatutoryScheme
    outcome: str


def read_document(text: bytes) -> Any:
    """The JSON of a scheme's document. Raises Refusal where it is none."""
    if len(text) > MOST_BYTES:
        raise Refusal("too_large", _("The document is too large."))
    try:
        return json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Refusal("not_json", _("The file is not JSON in UTF-8.")) from error


@transaction.atomic
def import_scheme(*, actor: Actor, society: Organisation, document: Any) -> ImportedScheme:
    """Put a scheme on record, off; the same document again changes nothing.

    What an enabled scheme allows is not changed under those who rely on it: disable it first, or import a new one.
    """
    check_society(actor, society, MANAGE)
    said = _checked(document) | _payment(society, document)
    ref = said.pop("ref")
    held = StatutoryScheme.objects.select_for_update(of=("self",)).filter(society=society, ref=ref).first()
    if held is None:
        made = StatutoryScheme.objects.create(society=society, ref=ref, **said)
        _note(actor, "created", made)
        return ImportedScheme(made, "created")
    if all(getattr(held, name) == value for name, value in said.items()):
        return ImportedScheme(held, "unchanged")
    if held.enabled:
        raise Conflict(
            "scheme_enabled",
            _("This scheme is in use. Disable it first, or import the new one under its own reference."),
        )
    for name, value in said.items():
        setattr(held, name, value)
    held.save(update_fields=list(said))
    _note(actor, "changed", held)
    return ImportedScheme(held, "updated")


def enabled(societies: Collection[int]) -> Iterator[tuple[int, str, Grant]]:
    """(society, ref, what it allows) of every enabled scheme of these societies, by ref."""
    found = StatutoryScheme.objects.filter(enabled=True, society_id__in=societies)
    for scheme in found.select_related("tariff").order_by("society_id", "ref") if societies else ():
        span = Span(scheme.valid.lower or dt.date.min, scheme.valid.upper)
        yield (
            scheme.society_id,
            scheme.ref,
            Grant(
                tuple(scheme.uses),
                tuple(scheme.kinds),
                tuple(scheme.territory),
                span,
                tariff=scheme.tariff.ref if scheme.tariff else "",
            ),
        )


def check_tariff(
    body: Organisation, tariff: Tariff, *, uses: Collection[str], kinds: Collection[str], valid: DateRange
) -> None:
    """The tariff was determined by this body for days of the scheme, and prices each of its uses of each of its kinds."""
    determined = tariff.versions.filter(
        status=TariffVersion.Status.DETERMINED, determined_by=body, valid__overlap=valid
    )
    schedules = [parse(version.document) for version in determined]
    if not schedules:
        raise Refusal(
            "tariff_not_determined",
            _("%(body)s has determined no version of the tariff “%(tariff)s” for days of the scheme.")
            % {"body": body, "tariff": tariff.ref},
            pointer="/tariff",
        )
    all_uses, all_kinds = (
        list(known) if terms.ANY in codes else list(codes)
        for codes, known in ((uses, terms.USES), (kinds, terms.KINDS))
    )
    for use, kind in product(all_uses, all_kinds):
        if not any(charge.meets((use,), (kind,)) for schedule in schedules for charge in schedule.charges):
            detail = say(
                "The tariff {tariff} prices no {kind} for {use}, which the scheme covers.",
                tariff=tariff.ref,
                kind=say(terms.KINDS[kind]),
                use=say(terms.USES[use]),
            )
            raise Refusal("tariff_does_not_cover", detail, pointer="/tariff")


def facts(scheme: StatutoryScheme) -> dict[str, Any]:
    """What evidence keeps of a scheme, and what a second person decides on."""
    return {
        "ref": scheme.ref,
        "uses": scheme.uses,
        "kinds": scheme.kinds,
        "territory": scheme.territory,
        "since": scheme.valid.lower.isoformat(),
        "until": scheme.valid.upper.isoformat() if scheme.valid.upper else None,
        "body": scheme.body.ref if scheme.body else None,
        "tariff": scheme.tariff.ref if scheme.tariff else None,
    }


def _checked(document: Any) -> dict[str, Any]:
    if not isinstance(document, Mapping):
        raise Refusal("not_a_scheme", _("A scheme is one JSON object."))
    if unknown := sorted(set(document) - _KEYS):
        raise Refusal("unknown_key", _("Unknown key: %(key)s.") % {"key": unknown[0]}, pointer=f"/{unknown[0]}")
    for key in _REQUIRED:
        if not document.get(key):
            raise Refusal("required", _("Give %(key)s.") % {"key": key}, pointer=f"/{key}")
    texts = {key: _text(document, key, most) for key, most in _TEXTS.items()}
    since, until = _day(document, "valid_from"), _day(document, "valid_to")
    if until is not None and since is not None and until <= since:
        raise Refusal("empty_term", _("The end must be later than the start."), pointer="/valid_to")
    return {
        "ref": texts.pop("scheme"),
        **texts,
        "uses": checked_codes(_codes(document, "uses"), terms.USES, "/uses"),
        "kinds": checked_codes(_codes(document, "kinds"), terms.KINDS, "/kinds"),
        "territory": checked_territory(_codes(document, "territory")),
        "valid": DateRange(since, until),
    }


def _payment(society: Organisation, document: Mapping[str, Any]) -> dict[str, Any]:
    """The rate body that determines what is paid, and the tariff by which; both or neither."""
    refs = {key: _text(document, key, 64) for key in ("body", "tariff")}
    if not any(refs.values()):
        return {"body": None, "tariff": None}
    for key, ref in refs.items():
        if not ref:
            raise Refusal("required", _("Give %(key)s.") % {"key": key}, pointer=f"/{key}")
    body = find_organisation(ref=refs["body"], kind="rate_body", pointer="/body")
    tariff = Tariff.objects.filter(society=society, ref=refs["tariff"]).first()
    if tariff is None:
        raise NotFound(
            _("%(society)s has no tariff “%(ref)s”.") % {"society": society.ref, "ref": refs["tariff"]},
            pointer="/tariff",
        )
    said = _checked(document)
    check_tariff(body, tariff, uses=said["uses"], kinds=said["kinds"], valid=said["valid"])
    return {"body": body, "tariff": tariff}


def _text(document: Mapping[str, Any], key: str, most: int) -> str:
    said = document.get(key) or ""
    if not isinstance(said, str) or len(said) > most or not said.isprintable():
        raise Refusal(
            "bad_text", _("%(key)s is one line of text of ordinary length.") % {"key": key}, pointer=f"/{key}"
        )
    return said.strip()


def _codes(document: Mapping[str, Any], key: str) -> list[str]:
    said = document[key]
    if not isinstance(said, list) or not all(isinstance(code, str) for code in said):
        raise Refusal("bad_codes", _("%(key)s is a list of codes.") % {"key": key}, pointer=f"/{key}")
    return said


def _day(document: Mapping[str, Any], key: str) -> dt.date | None:
    said = document.get(key)
    if said is None:
        return None
    try:
        return dt.date.fromisoformat(said)
    except (TypeError, ValueError) as error:
        raise Refusal("not_a_date", _("Write dates as 2026-01-31."), pointer=f"/{key}") from error


def _note(actor: Actor, what: str, scheme: StatutoryScheme) -> None:
    record(
        actor=actor,
        verb=f"scheme.{what}",
        object=Reference("statutory_scheme", scheme.pk),
        organisation_id=scheme.society_id,
        data=facts(scheme),
    )
