"""What every act on a licence shares: who may do it, how its terms are checked, and its evidence."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import Any

from babel import Locale
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Forbidden, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.licences.models import Licence


def check_society(actor: Actor, society: Organisation) -> None:
    actor.require("licences.manage")
    if not actor.is_system and actor.organisation_id != society.pk:
        raise Forbidden(_("A licence is managed by the society that grants it."))


def term(valid_from: datetime.date, valid_to: datetime.date | None) -> DateRange:
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
