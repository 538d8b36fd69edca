"""The shares of one work, kept by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference
from licensing.intake.importing import check_society, serialised
from licensing.repertoire.core import BadShare, Claim, Part, merge, parse_share, ppm_of
from licensing.repertoire.models import Holder, Share, Work
from licensing.repertoire.services.common import Errors


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
    errors = Errors()
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


@dataclass(frozen=True, slots=True)
class Settled:
    """A share as claimants agreed on it, or as it was decided: whose, in which role, how much."""

    holder_id: int
    role: str
    ppm: int
    stated: str


@transaction.atomic
def settle_shares(
    *, actor: Actor, work: Work, parts: Sequence[Settled], days: DateRange, source: Reference
) -> list[Share]:
    """Make the shares of a work exactly these on these days; before and after them they stay as they are.

    What reaches beyond the days is cut, so that what was on record for other days can still be explained. Nobody's permission is
    asked for here: whoever settles has (`disputes`, above).
    """
    serialised(work.society)
    cut, kept = [], []
    for share in work.shares.select_for_update():
        before, after = _outside(share.valid, days)
        if (before, after) == (share.valid, None):
            continue
        kept += [
            Share(work=work, holder_id=share.holder_id, role=share.role, ppm=share.ppm, stated=share.stated, valid=piece,
                  disputed=share.disputed)
            for piece in (before, after)
            if piece is not None
        ]  # fmt: skip
        cut.append(share.pk)
    Share.objects.filter(pk__in=cut).delete()
    made = [
        Share(work=work, holder_id=part.holder_id, role=part.role, ppm=part.ppm, stated=part.stated, valid=days)
        for part in parts
        if part.ppm
    ]
    Share.objects.bulk_create([*kept, *made])
    refs = dict(Holder.objects.filter(pk__in={part.holder_id for part in parts}).values_list("pk", "ref"))
    record(
        actor=actor, verb="work.shares_set", object=Reference("work", work.pk), organisation_id=work.society_id,
        data={
            "ref": work.ref, "source": str(source), "since": days.lower.isoformat() if days.lower else "",
            "until": days.upper.isoformat() if days.upper else "",
            "shares": [f"{refs[part.holder_id]} {part.role} {part.ppm}ppm" for part in parts],
        },
    )  # fmt: skip
    return made


def mark_disputed(*, actor: Actor, work: Work, holder_id: int, role: str, disputed: bool, source: Reference) -> int:
    """Hold what comes in for a holder's share in a role, on all its days, or let it go; returns how many rows changed.

    Must be called in a transaction. Nobody's permission is asked for here: whoever raises or ends a dispute has (above).
    """
    serialised(work.society)
    theirs = work.shares.filter(holder_id=holder_id, role=role).exclude(disputed=disputed)
    changed = theirs.update(disputed=disputed)
    if changed:
        record(
            actor=actor, verb="work.share_disputed" if disputed else "work.share_undisputed", object=Reference("work", work.pk),
            organisation_id=work.society_id, data={"ref": work.ref, "holder": holder_id, "role": role, "source": str(source)},
        )  # fmt: skip
    return changed


def _outside(valid: DateRange, days: DateRange) -> tuple[DateRange | None, DateRange | None]:
    """What of a share lies before and after some days; all of it as `before` where they do not meet."""
    starts, ends = valid.lower or dt.date.min, valid.upper or dt.date.max
    first, last = days.lower or dt.date.min, days.upper or dt.date.max
    if ends <= first or last <= starts:
        return valid, None
    return (
        DateRange(valid.lower, days.lower) if starts < first else None,
        DateRange(days.upper, valid.upper) if last < ends else None,
    )


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
