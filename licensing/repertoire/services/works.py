"""Works and the identifiers that find them, kept by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, NotFound
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.intake.importing import check_society, serialised
from licensing.repertoire.identifiers import normalise, split
from licensing.repertoire.models import Identifier, Work
from licensing.repertoire.services.common import Errors, check_ref, fill, saved


@transaction.atomic
def save_work(
    *,
    actor: Actor,
    society: Organisation,
    work: Work | None = None,
    identifiers: Sequence[str] | None = None,
    **fields: Any,
) -> Work:
    """Add a work (`ref`, `kind`, `title`, …), or change one; `identifiers` (`scheme:value`) replace those on record.

    Raises Refusal with an error for each bad field or identifier, Conflict when ref or identifier name another work.
    """
    check_society(actor, society, "works.import")
    serialised(society)
    if work is None:
        work = Work(society=society, ref=str(fields.pop("ref", "")).strip())
        check_ref(work.ref, Work.objects.filter(society=society, ref=work.ref).exists())
    elif work.society_id != society.pk:
        raise NotFound(_("There is no such work."))
    errors = Errors()
    if fields.get("kind", work.kind) not in terms.KINDS:
        errors.add("kind", _("Choose one of: %(known)s.") % {"known": ", ".join(terms.KINDS)})
    wanted = {errors.value("identifiers", identifier_of, text) for text in identifiers or () if text.strip()}
    fill(work, fields, errors)
    _check_free(work, wanted)
    made = saved(actor, "work", work, society)
    if identifiers is not None:
        _replace_identifiers(made, wanted)
    return made


def identifier_of(text: str) -> tuple[str, str]:
    scheme, value = split(text)
    return scheme, normalise(scheme, value)


def _check_free(work: Work, wanted: set[tuple[str, str]]) -> None:
    for scheme, value in sorted(wanted):
        others = Identifier.objects.filter(society=work.society, scheme=scheme, value=value).exclude(work_id=work.pk)
        other = others.select_related("work").first()
        if other:
            detail = _("%(identifier)s names the work %(work)s already.") % {
                "identifier": f"{scheme}:{value}",
                "work": other.work.ref,
            }
            raise Conflict("identifier_taken", detail, pointer="/identifiers")


def _replace_identifiers(work: Work, wanted: set[tuple[str, str]]) -> None:
    held = {(i.scheme, i.value): i for i in work.identifiers.all()}
    gone = [i.pk for key, i in held.items() if key not in wanted]
    if gone:
        Identifier.objects.filter(pk__in=gone).delete()
    new = [Identifier(society=work.society, work=work, scheme=s, value=v) for s, v in sorted(wanted - set(held))]
    if new:
        Identifier.objects.bulk_create(new)
