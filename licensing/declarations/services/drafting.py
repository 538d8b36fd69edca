"""Before a declaration is submitted: begun, given its files, amended by a new one, or thrown away."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import IO, Any

from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Refusal
from licensing import terms
from licensing.declarations import core
from licensing.declarations.models import Declaration, DeclarationFile
from licensing.declarations.services import arriving, quotas
from licensing.declarations.services.common import enqueue, forget_uses, locked, note, require_declarant
from licensing.intake import uploads
from licensing.intake.models import StoredFile, Upload
from licensing.intake.services import keep, let_go
from licensing.licences.models import Licence
from licensing.licences.services import checked_territory

Status = Declaration.Status
Period = tuple[dt.date, dt.date]
MOST_BASE = 10**15
_EARLIEST = dt.date(1900, 1, 1)


@transaction.atomic
def start(
    *,
    actor: Actor,
    licence: Licence,
    period: Period,
    use: str = "",
    unit: str = "",
    model: str = "",
    dataset: str = "",
    reference: str = "",
    bases: Mapping[str, int] | None = None,
    territory: str = "KR",
    sandbox: bool = False,
) -> Declaration:
    """Begin a declaration under a licence for a half-open period. `use` and `unit` hold where a line names none.

    `bases` are the declared bases of percentage charges, {name: minor units}. A sandbox declaration is never billed.
    """
    require_declarant(actor, licence)
    declaration = Declaration.objects.create(
        licence=licence,
        period=checked_period(period),
        use=_checked_code(use, terms.USES, "/use"),
        unit=_checked_code(unit, terms.UNITS, "/unit"),
        model=_checked_text(model, 200, "/model"),
        dataset=_checked_text(dataset, 200, "/dataset"),
        reference=_checked_text(reference, 100, "/reference"),
        bases=_checked_bases(bases or {}),
        territory=_checked_place(territory),
        sandbox=sandbox or actor.sandbox,
        created_by=actor.label[:200],
    )
    note(actor, "started", declaration, licence=licence.ref)
    return declaration


def attach(*, actor: Actor, declaration: Declaration, stream: IO[bytes], name: str) -> DeclarationFile:
    """Keep a file as received and have it processed. The same file again changes nothing.

    A file added to a processed declaration, or while others are read, is processed together with those; after a
    failure, it replaces the files that failed, or all where none did by itself. Conflict while the result is worked out,
    once submitted, or where another declaration of the period has the file. Refusal past the licence's quota.
    """
    require_declarant(actor, declaration.licence)
    check_attachable(declaration)
    quotas.check_room(declaration.licence, size_of(stream))
    stored = keep(actor=actor, stream=stream, name=name, organisation=declaration.licence.licensee)
    try:
        return attach_stored(actor=actor, declaration=declaration, stored=stored)
    except Refusal as refusal:
        if stored.is_new or (refusal.code == "quota_bytes" and not connection.in_atomic_block):
            let_go(actor=actor, stored=stored)  # unless something else names it
        raise


@transaction.atomic
def attach_stored(
    *, actor: Actor, declaration: Declaration, stored: StoredFile, path: str = "", queue: bool = True,
    reserved: bool = False,
) -> DeclarationFile:  # fmt: skip
    """`attach`, for a file that is kept already. `queue=False` where the caller processes it at once; `reserved` where room
    was found for it when it was announced.

    `path` is its place in a folder that is sent as one. Where files were announced it must be one of them, and the
    declaration is processed once the last of them is there.
    """
    held = locked(declaration)
    check_attachable(held)
    if held.status == Status.FAILED:
        drop_failed(held)
        held.announced.missing().delete()
    place = arriving.place(held, stored, path)
    file, added = DeclarationFile.objects.get_or_create(declaration=held, file=stored, defaults=place)
    if added:
        quotas.check_room(held.licence, stored.size, adding=file, reserved=reserved)
    elif place["path"] and place["path"] != file.path:
        added = _moved(file, place)
    if added:
        note(actor, "received", held, file=stored.pk, sha256=stored.sha256)
    waits = arriving.waits(held)
    if added and not waits:
        receive(held)
    if queue and not waits:
        enqueue(held.pk)
    declaration.refresh_from_db()
    return file


def _moved(file: DeclarationFile, place: Mapping[str, Any]) -> bool:
    """Give a file that is here already the place by which it was announced; another place of its own stays."""
    if file.path:
        detail = _("%(path)s has the same content as %(other)s, and a file counts once.")
        raise Conflict("same_content", detail % {"path": place["path"], "other": file.path}, pointer="/file")
    DeclarationFile.objects.filter(pk=file.pk).update(**place)
    return True


def drop_failed(held: Declaration) -> None:
    """Make room for better ones: the files that failed go, or all where none did by itself."""
    bad = held.files.filter(status=DeclarationFile.Status.FAILED)
    (bad if bad.exists() else held.files.all()).delete()


def size_of(stream: IO[bytes]) -> int:
    """How many bytes a stream has still to give; 1 where only reading would tell."""
    known = getattr(stream, "size", None)
    if isinstance(known, int):
        return known
    if not stream.seekable():
        return 1
    at = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(at)
    return end - at


def same_file(licence: Licence, period: DateRange, sha256: str, *, sandbox: bool) -> Declaration | None:
    """The declaration that was made of these bytes before, unless it failed."""
    made = Declaration.objects.filter(licence=licence, period=period, sha256=sha256, sandbox=sandbox, supersedes=None)
    return made.exclude(status=Status.FAILED).order_by("pk").first()


@transaction.atomic
def amend(*, actor: Actor, declaration: Declaration) -> Declaration:
    """A new draft, which supersedes a submitted declaration once it is accepted; the one there is already, if any."""
    require_declarant(actor, declaration.licence)
    held = locked(declaration)
    successor = Declaration.objects.filter(supersedes=held).first()
    if successor and successor.status in core.OPEN:
        return successor
    if successor:
        detail = _("Declaration %(number)s amends this one already. Amend that one.") % {"number": successor.pk}
        raise Conflict("already_amended", detail)
    if held.status not in core.AMENDABLE:
        raise Conflict("not_submitted", _("Only a submitted declaration is amended; this one can still be changed."))
    same = ("licence", "period", "use", "unit", "model", "dataset", "reference", "bases", "territory", "sandbox")
    draft = Declaration.objects.create(
        supersedes=held, created_by=actor.label[:200], **{name: getattr(held, name) for name in same}
    )
    note(actor, "amended", held, by=draft.pk)
    return draft


@transaction.atomic
def discard(*, actor: Actor, declaration: Declaration) -> None:
    """Throw away a declaration that was never submitted. Its files stay in storage."""
    require_declarant(actor, declaration.licence)
    arriving = Upload.objects.about("declaration", declaration.pk).filter(status=Upload.Status.OPEN)
    list(arriving.select_for_update(of=("self",)).order_by("pk"))  # before the declaration, as who finishes one does
    held = locked(declaration)
    if held.status not in core.OPEN:
        raise Conflict("submitted", _("A submitted declaration stays. Amend it instead."))
    if held.status == Status.PROCESSING:
        raise Conflict("processing", _("The declaration is being processed. Try again in a moment."))
    note(actor, "discarded", held)
    for upload in arriving.all():
        uploads.cancel(actor=actor, upload=upload)
    forget_uses(held)
    held.delete()


def begin_round(held: Declaration) -> None:
    """Whoever works on the declaration works in vain from now on, and attempts are counted from nothing."""
    held.round, held.attempt = held.round + 1, 0
    held.files.update(attempt=0, started_at=None)


def receive(held: Declaration) -> None:
    """Put it in line for processing, under the digest of its files. While files are read, one more is read with them."""
    stored = held.files.order_by("position", "pk").values_list("file__sha256", flat=True)
    held.sha256 = core.digest(list(stored))
    others = same_file(held.licence, held.period, held.sha256, sandbox=held.sandbox)
    if others and others.pk != held.pk and held.supersedes_id is None:
        raise _already(others)
    if held.status != Status.PROCESSING:
        begin_round(held)
        held.status, held.step = Status.RECEIVED, ""
        held.lines_read, held.problems, held.questions = 0, [], []
    held.heartbeat_at = timezone.now()
    try:
        with transaction.atomic():
            held.save()
    except IntegrityError as error:
        if "declaration_of_the_same_file_is_made_once" not in str(error):
            raise
        raise _already(same_file(held.licence, held.period, held.sha256, sandbox=held.sandbox)) from error


def _already(other: Declaration | None) -> Conflict:
    number = other.pk if other else "?"
    detail = _("This file was declared for this licence and period before, as declaration %(number)s.")
    return Conflict("already_declared", detail % {"number": number}, pointer="/file")


def check_attachable(declaration: Declaration) -> None:
    """Raises Conflict where no file can be added to it now."""
    if declaration.status in core.SUBMITTED:
        raise Conflict("submitted", _("A submitted declaration is immutable. Amend it instead."))
    if not core.attachable(declaration.status, declaration.step):
        raise Conflict("processing", _("The declaration is being processed. Try again in a moment."))


def checked_period(period: Period) -> DateRange:
    """The half-open period as a range, refused where it is empty or absurd."""
    first, end = period
    if end <= first:
        detail = _("The end is the first day after the period: it must be later than the start.")
        raise Refusal("empty_period", detail, pointer="/period_end")
    if first < _EARLIEST or (end - first).days > 3660:
        detail = _("The period must begin after 1900 and last ten years at most.")
        raise Refusal("bad_period", detail, pointer="/period_start")
    return DateRange(first, end)


def _checked_code(code: str, known: Mapping[str, str], pointer: str) -> str:
    if code and code not in known:
        raise Refusal("unknown_term", _("Use one of: %(known)s.") % {"known": ", ".join(known)}, pointer=pointer)
    return code


def _checked_text(text: str, longest: int, pointer: str) -> str:
    text = text.strip()
    if len(text) > longest or not text.isprintable():
        detail = _("At most %(longest)d printable characters are allowed here.") % {"longest": longest}
        raise Refusal("bad_text", detail, pointer=pointer)
    return text


def _checked_place(territory: str) -> str:
    [place] = checked_territory([territory])
    if place == terms.ANY:
        raise Refusal("unknown_territory", _("Declare one territory, such as KR."), pointer="/territory")
    return place


def _checked_bases(bases: Mapping[str, Any]) -> dict[str, int]:
    for name, amount in bases.items():
        known = isinstance(name, str) and 0 < len(name) <= 40 and name.isprintable()
        if not known or isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= MOST_BASE:
            detail = _("A base is a name of at most 40 characters and a whole amount in minor units.")
            raise Refusal("bad_base", detail, pointer="/bases")
    return dict(bases)
