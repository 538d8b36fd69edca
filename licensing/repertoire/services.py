"""What is done with a repertoire: files imported, holders, works and shares kept by hand, people who act for others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.intake.importing import check_society, serialised
from licensing.repertoire.core import BadShare, Claim, Part, merge, parse_share, ppm_of
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.importing import import_holders, import_shares, import_works
from licensing.repertoire.importing.holders import TAX_STATUSES, countries
from licensing.repertoire.models import Holder, Identifier, Representation, Share, Work

__all__ = [
    "ShareLine",
    "holder_ids_of",
    "import_holders",
    "import_shares",
    "import_works",
    "represent",
    "save_holder",
    "save_work",
    "set_shares",
]


def holder_ids_of(user: User) -> frozenset[int]:
    """The holders for whom a person may act in any scope."""
    return frozenset(Representation.objects.filter(user=user).values_list("holder_id", flat=True))


@transaction.atomic
def represent(*, actor: Actor, user: User, holder: Holder, scope: str = Representation.Scope.MEMBER) -> Representation:
    """Let a person act for a holder in this scope; who already does has the scope changed."""
    check_society(actor, holder.society, "members.manage")
    if scope not in Representation.Scope.values:
        detail = _("Choose one of: %(known)s.") % {"known": ", ".join(Representation.Scope.values)}
        raise Refusal("unknown_scope", detail, pointer="/scope")
    found, created = Representation.objects.get_or_create(user=user, holder=holder, defaults={"scope": scope})
    if not created:
        if found.scope == scope:
            return found
        found.scope = scope
        found.save(update_fields=["scope"])
    record(
        actor=actor,
        verb="representation.set",
        object=Reference("representation", found.pk),
        organisation_id=holder.society_id,
        data={"user": user.pk, "holder": holder.ref, "scope": scope},
    )
    return found


@transaction.atomic
def save_holder(*, actor: Actor, society: Organisation, holder: Holder | None = None, **fields: Any) -> Holder:
    """Add a holder (`ref`, `name`, …), or change one; the ref of an existing one stays.

    Raises Refusal with an error for each bad field, Conflict when the ref is taken.
    """
    check_society(actor, society, "works.import")
    if holder is None:
        holder = Holder(society=society, ref=str(fields.pop("ref", "")).strip())
        _check_ref(holder.ref, Holder.objects.filter(society=society, ref=holder.ref).exists())
    elif holder.society_id != society.pk:
        raise NotFound(_("There is no such holder."))
    errors = _Errors()
    for scheme in ("ipi", "isni"):
        if fields.get(scheme):
            fields[scheme] = errors.value(scheme, normalise, scheme, fields[scheme])
    if fields.get("country") and fields["country"].upper() not in countries():
        errors.add("country", _("Write a country as two letters, such as KR."))
    if fields.get("tax_status") and fields["tax_status"] not in TAX_STATUSES:
        errors.add("tax_status", _("Choose one of: %(known)s.") % {"known": ", ".join(TAX_STATUSES)})
    fields |= {"country": str(fields.get("country") or holder.country).upper()}
    _fill(holder, fields, errors)
    return _saved(actor, "holder", holder, society)


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
        _check_ref(work.ref, Work.objects.filter(society=society, ref=work.ref).exists())
    elif work.society_id != society.pk:
        raise NotFound(_("There is no such work."))
    errors = _Errors()
    if fields.get("kind", work.kind) not in terms.KINDS:
        errors.add("kind", _("Choose one of: %(known)s.") % {"known": ", ".join(terms.KINDS)})
    wanted = {errors.value("identifiers", _identifier, text) for text in identifiers or () if text.strip()}
    _fill(work, fields, errors)
    _check_free(work, wanted)
    saved = _saved(actor, "work", work, society)
    if identifiers is not None:
        _replace_identifiers(saved, wanted)
    return saved


def _identifier(text: str) -> tuple[str, str]:
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


Row = TypeVar("Row", Holder, Work)


@dataclass(frozen=True, slots=True)
class ShareLine:
    """One share as a person enters it; `since` None is since ever, `until` the first day after, None open."""

    holder_ref: str
    share: str
    role: str = ""
    since: dt.date | None = None
    until: dt.date | None = None


@transaction.atomic
def set_shares(*, actor: Actor, work: Work, lines: Sequence[ShareLine]) -> list[Share]:
    """Make a work's shares exactly these; a disputed share stays disputed.

    Raises Refusal with an error for each line (`/shares/0`, …) that is no share, of an unknown holder, or overlapping.
    """
    check_society(actor, work.society, "works.import")
    serialised(work.society)
    refs = {line.holder_ref for line in lines}
    holders = {h.ref: h for h in Holder.objects.filter(society_id=work.society_id, ref__in=refs)}
    errors = _Errors()
    claims = [
        Claim(part, line.share.strip(), row)
        for row, line in enumerate(lines)
        if (part := errors.value(f"shares/{row}", _part, line, holders))
    ]
    errors.raise_any()
    # Rows count from 1 here: nothing is on record as long as this list is the whole.
    merged = merge(Claim(claim.part, claim.text, (claim.row or 0) + 1) for claim in claims)
    for row, reason in merged.refused:
        errors.add(f"shares/{row - 1}", _(reason))
    errors.raise_any()
    _write_shares(work, merged.claims, holders)
    record(
        actor=actor,
        verb="work.shares_set",
        object=Reference("work", work.pk),
        organisation_id=work.society_id,
        data={"ref": work.ref, "shares": [f"{c.part.holder_ref} {c.part.role} {c.text}" for c in merged.claims]},
    )
    return list(work.shares.select_related("holder").order_by("holder__ref", "role", "valid"))


def _part(line: ShareLine, holders: Mapping[str, Holder]) -> Part:
    if line.holder_ref not in holders:
        raise BadShare(_("There is no holder with this reference."))
    if line.since and line.until and line.until <= line.since:
        raise BadShare(_("The end must be later than the start."))
    if len(line.role) > 20 or len(line.share.strip()) > 40:
        raise BadShare(_("The value is too long."))
    return Part(line.holder_ref, line.role.strip(), parse_share(line.share), line.since, line.until)


def _write_shares(work: Work, claims: Sequence[Claim], holders: Mapping[str, Holder]) -> None:
    held = {(s.holder_id, s.role, s.valid.lower): s for s in work.shares.all()}
    new, changed = [], []
    for claim, ppm in zip(claims, ppm_of([c.part for c in claims]), strict=True):
        part = claim.part
        holder = holders[part.holder_ref]
        valid = DateRange(part.since, part.until)
        share = held.pop((holder.pk, part.role, part.since), None)
        if share is None:
            new.append(Share(work=work, holder=holder, role=part.role, ppm=ppm, stated=claim.text, valid=valid))
        elif (share.ppm, share.stated, share.valid) != (ppm, claim.text, valid):
            share.ppm, share.stated, share.valid = ppm, claim.text, valid
            changed.append(share)
    if held:
        Share.objects.filter(pk__in=[s.pk for s in held.values()]).delete()
    for share in changed:
        share.save(update_fields=["ppm", "stated", "valid"])
    Share.objects.bulk_create(new)


class _Errors:
    """Gathers what is wrong, so that a person sees all of it at once."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def add(self, field: str, detail: str) -> None:
        self.found.append({"code": "invalid", "detail": detail, "pointer": f"/{field}"})

    def value(self, field: str, rule: Any, *arguments: Any) -> Any:
        """What the rule gives, or None and an error."""
        try:
            return rule(*arguments)
        except (BadIdentifier, BadShare) as bad:
            self.add(field, _(bad.reason))
            return None

    def raise_any(self) -> None:
        if self.found:
            first = self.found[0]
            raise Refusal(first["code"], first["detail"], pointer=first["pointer"], errors=self.found)


def _check_ref(ref: str, taken: bool) -> None:
    if not ref or len(ref) > 64 or not ref.isprintable():
        raise Refusal("bad_ref", _("Give a reference of 1 to 64 characters."), pointer="/ref")
    if taken:
        raise Conflict("ref_taken", _("This reference is in use already."), pointer="/ref")


def _fill(row: Holder | Work, fields: Mapping[str, Any], errors: _Errors) -> None:
    """Set the fields, trimmed, and hold them to their columns' rules."""
    for name, value in fields.items():
        setattr(row, name, value.strip() if isinstance(value, str) else value)
    try:
        row.clean_fields(exclude=["society", "ref", *(name for name, value in vars(row).items() if value is None)])
    except ValidationError as invalid:
        for field, messages in invalid.message_dict.items():
            if not any(error["pointer"] == f"/{field}" for error in errors.found):
                errors.add(field, " ".join(messages))
    errors.raise_any()


def _saved(actor: Actor, kind: str, row: Row, society: Organisation) -> Row:
    new = row.pk is None
    row.save()
    record(
        actor=actor,
        verb=f"{kind}.{'added' if new else 'changed'}",
        object=Reference(kind, row.pk),
        organisation_id=society.pk,
        data={"ref": row.ref},
    )
    return row
