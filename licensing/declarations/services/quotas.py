"""How much a licence may send: bytes kept for its declarations, and rows of one declaration."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Sum
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal, say
from licensing.declarations import core
from licensing.declarations.models import AnnouncedFile, Declaration, DeclarationFile, Quota
from licensing.intake.models import StoredFile, Upload
from licensing.licences.models import Licence

MOST_BYTES, MOST_ROWS = 2**50, 10**12  # that anybody may allow


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a licence may send, and what it has sent; `own`: set for this licence, not the installation's."""

    bytes: int
    rows: int
    used: int
    arriving: int  # announced by uploads that are under way, or by manifests
    own: bool

    @property
    def left(self) -> int:
        return max(self.bytes - self.used, 0)


def allowance(licence: Licence) -> Allowance:
    own = Quota.objects.filter(licence=licence).first()
    return Allowance(
        bytes=own.most_bytes if own else settings.DECLARATION_MOST_BYTES,
        rows=own.most_rows if own else settings.DECLARATION_MOST_ROWS,
        used=_used(licence),
        arriving=_arriving(licence),
        own=own is not None,
    )


def check_room(licence: Licence, size: int, *, adding: DeclarationFile | None = None, reserved: bool = False) -> None:
    """Raises Refusal `quota_bytes` where so many bytes more are too many, before they are sent.

    Until the caller's transaction ends nobody else finds room under the licence. What was announced, by an upload or in a
    manifest, holds its room until it is here or over. With `adding`, a kept file that was put into a declaration just now
    in that transaction; with `reserved` one whose room was held. Bytes that the licence has declared before count once.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"declaration-quota:{licence.pk}"])
    if adding is not None:
        same = DeclarationFile.objects.filter(declaration__licence=licence, file=adding.file_id)
        if same.exclude(pk=adding.pk).exists():
            return
    now = allowance(licence)
    taken = now.used + (0 if reserved else now.arriving) - (size if adding is not None else 0)
    if taken + size > now.bytes:
        detail = say(
            "The files of licence {licence} may take {allowed} bytes in all; {used} are taken, and this one has {size}. "
            "Throw away declarations that you do not need, or ask {society} to allow more.",
            licence=licence.ref, allowed=now.bytes, used=taken, size=size, society=licence.society.name,
        )  # fmt: skip
        raise Refusal("quota_bytes", detail, pointer="/file")


def too_many_rows(declaration: Declaration, lines: int) -> core.Note | None:
    """What is to be said where a declaration's files have more rows than one declaration may."""
    most = allowance(declaration.licence).rows
    return _rows_note(declaration.licence, most, lines) if lines > most else None


def said_of_rows(licence: Licence, refusal: Refusal) -> Refusal:
    """A file with too many rows, said in terms of the quota where that was the narrower bound."""
    most = allowance(licence).rows if refusal.code == "too_many_rows" else 0
    if not 0 < most < settings.UPLOAD_MAX_ROWS:
        return refusal
    note = _rows_note(licence, most, None)
    return Refusal(note.code, note.detail)


def _rows_note(licence: Licence, most: int, lines: int | None) -> core.Note:
    where = {"licence": licence.ref, "most": most, "society": licence.society.name}
    if lines is None:
        detail = say(
            "A declaration under licence {licence} may have {most} rows, and this file alone has more. "
            "Declare shorter periods, or ask {society} to allow more.",
            **where,
        )
    else:
        detail = say(
            "A declaration under licence {licence} may have {most} rows, and its files have {lines}. "
            "Declare shorter periods, or ask {society} to allow more.",
            lines=lines, **where,
        )  # fmt: skip
    return core.Note("quota_rows", detail)


@transaction.atomic
def set_quota(*, actor: Actor, licence: Licence, most_bytes: int, most_rows: int) -> Quota:
    """The society's licensing staff allow a licence more or less. What is there stays, even where it is more."""
    _require_manager(actor, licence)
    for value, most, pointer in ((most_bytes, MOST_BYTES, "/most_bytes"), (most_rows, MOST_ROWS, "/most_rows")):
        if not 1 <= value <= most:
            detail = _("A quota is a whole number from 1 to %(most)d.") % {"most": most}
            raise Refusal("bad_quota", detail, pointer=pointer)
    before = Quota.objects.select_for_update().filter(licence=licence).first()
    if before and (before.most_bytes, before.most_rows) == (most_bytes, most_rows):
        return before
    values = {"most_bytes": most_bytes, "most_rows": most_rows}
    quota, _new = Quota.objects.update_or_create(licence=licence, defaults=values)
    _record(actor, licence, "licence.quota_set", **values)
    return quota


@transaction.atomic
def forget_quota(*, actor: Actor, licence: Licence) -> None:
    """Back to what the installation allows every licence."""
    _require_manager(actor, licence)
    gone, _each = Quota.objects.filter(licence=licence).delete()
    if gone:
        _record(actor, licence, "licence.quota_forgotten")


def _require_manager(actor: Actor, licence: Licence) -> None:
    if actor.is_system:
        return
    if actor.organisation_id not in (licence.society_id, licence.licensee_id):
        raise NotFound(_("There is no such licence."))
    actor.require("licences.manage")
    if actor.organisation_id != licence.society_id:
        raise NotFound(_("There is no such licence of your organisation."))
    if actor.sandbox:
        raise Conflict("sandbox", _("A test token changes nothing of a licence."))


def _record(actor: Actor, licence: Licence, verb: str, **data: int) -> None:
    record(
        actor=actor, verb=verb, object=Reference("licence", licence.pk), organisation_id=licence.society_id, data=data
    )


def _used(licence: Licence) -> int:
    files = DeclarationFile.objects.filter(declaration__licence=licence).values("file_id")
    return int(StoredFile.objects.filter(pk__in=files).aggregate(n=Sum("size"))["n"] or 0)


def _arriving(licence: Licence) -> int:
    about = Declaration.objects.filter(licence=licence).values("pk")
    under_way = Upload.objects.filter(status=Upload.Status.OPEN, about_kind="declaration", about_id__in=about)
    sent = under_way.filter(about_id=OuterRef("declaration_id"), path=OuterRef("path"))
    awaited = AnnouncedFile.objects.filter(declaration__licence=licence).missing().exclude(Exists(sent))
    return sum(int(each.aggregate(n=Sum("size"))["n"] or 0) for each in (under_way, awaited))
