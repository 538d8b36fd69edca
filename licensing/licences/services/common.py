"""What every act on a licence shares: who may do it, how its terms are checked, and its evidence."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import Any, Final

from babel import Locale
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.licences import conditions
from licensing.licences.models import Licence, LicenceRequest
from licensing.tariffs.reading import BadDocument

REQUEST: Final = "Q"  # with which a request's ref begins


def check_society(actor: Actor, society: Organisation) -> None:
    refuse_test(actor)
    actor.require("licences.manage")
    if not actor.is_system and actor.organisation_id != society.pk:
        raise Forbidden(_("A licence is managed by the society that grants it."))


def check_licensee(actor: Actor, request: LicenceRequest) -> None:
    """The firm that asked, by whoever may ask for licences there."""
    refuse_test(actor)
    if not actor.is_system and actor.organisation_id != request.licensee_id:
        raise Forbidden(_("A request is the firm's own: only the firm changes it."))
    actor.require("licences.request")


def check_party(actor: Actor, request: LicenceRequest) -> None:
    """A stranger's request is none."""
    if not LicenceRequest.objects.visible_to(actor).filter(pk=request.pk).exists():
        raise NotFound(_("There is no such request."))


def refuse_test(actor: Actor) -> None:
    if actor.sandbox:
        raise Forbidden(_("A test token makes and changes no licences: they count for everybody."))


def checked_conditions(document: Any) -> conditions.Conditions:
    """The duties as data. Raises BadDocument in the reader's language."""
    try:
        return conditions.parse(document)
    except BadDocument as bad:
        raise bad.translated(_) from None


def wrong_status(request: LicenceRequest) -> Conflict:
    detail = _("The request %(ref)s stands at “%(status)s”, so this cannot be done.")
    return Conflict("wrong_status", detail % {"ref": request.ref, "status": request.get_status_display()})


def term(valid_from: datetime.date, valid_to: datetime.date | None, pointer: str = "/valid_to") -> DateRange:
    if valid_to is not None and valid_to <= valid_from:
        raise Refusal(
            "empty_term",
            _("The end is the first day after the term: it must be later than the start."),
            pointer=pointer,
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


def checked_names(names: Collection[str], pointer: str) -> list[str]:
    """Names of models or datasets, sorted, each once."""
    found = sorted({name.strip() for name in names} - {""})
    if any(len(name) > 200 or not name.isprintable() for name in found) or len(found) > 500:
        raise Refusal(
            "bad_name",
            _("At most 500 names of at most 200 printable characters each are allowed here."),
            pointer=pointer,
        )
    return found


def note(actor: Actor, what: str, licence: Licence, **data: Any) -> None:
    record(
        actor=actor,
        verb=f"licence.{what}",
        object=Reference("licence", licence.pk),
        organisation_id=licence.society_id,
        data={"ref": licence.ref, **data},
    )


def note_request(actor: Actor, verb: str, request: LicenceRequest, **data: Any) -> None:
    record(
        actor=actor,
        verb=verb,
        object=Reference("licence_request", request.pk),
        organisation_id=request.society_id,
        data={"ref": request.ref, **data},
    )
