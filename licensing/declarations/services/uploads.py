"""Files of a declaration that arrive in parts: announced, received, and attached once they are whole."""

from __future__ import annotations

from typing import IO, Final

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Actor, Conflict, Forbidden, NotFound, Reference, Refusal, say
from licensing.declarations.models import Declaration
from licensing.declarations.services import arriving, quotas
from licensing.declarations.services.common import require_declarant
from licensing.declarations.services.drafting import attach_stored, check_attachable
from licensing.intake import uploads
from licensing.intake.models import StoredFile, Upload
from licensing.intake.paths import checked_path
from licensing.intake.tus import Checksum, Refused

ABOUT: Final = "declaration"
_AT_ONCE: Final = 256 * 1024**2  # bytes that are put together while the sender of the last part waits
log = structlog.get_logger(__name__)


@transaction.atomic
def begin_upload(
    *, actor: Actor, declaration: Declaration, name: str, size: int, path: str = "", sha256: str = ""
) -> Upload:
    """Announce a file that will arrive in parts. It must fit the manifest, where there is one, and the licence's quota."""
    require_declarant(actor, declaration.licence)
    if not uploads_may_begin(declaration):
        check_attachable(declaration)
    path = checked_path(path) if path else ""
    digest = uploads.checked_sha256(sha256)
    line = arriving.expected(declaration, path=path or _awaited(declaration, name), size=size, sha256=digest)
    try:
        quotas.check_room(declaration.licence, 0 if line else size)
    except Refusal as refusal:
        raise Refused(413, refusal.code, refusal.detail) from refusal
    return uploads.begin(
        actor=actor,
        organisation=declaration.licence.licensee,
        about=Reference(ABOUT, declaration.pk),
        name=name or path.rpartition("/")[2],
        path=line.path if line else path,
        size=size,
        sha256=digest or (line.sha256 if line else ""),
        sandbox=declaration.sandbox,
    )


def uploads_may_begin(declaration: Declaration) -> bool:
    """While others are worked on, one may already be sent: it is attached as soon as that is over."""
    return declaration.status == Declaration.Status.PROCESSING


def _awaited(declaration: Declaration, name: str) -> str:
    """The name itself where the manifest has it as a path."""
    return name if declaration.announced.filter(path=name).exists() else ""


def receive_part(
    *, actor: Actor, upload: Upload, stream: IO[bytes], offset: int, length: int, checksum: Checksum | None = None
) -> Upload:
    """Take a part (see `intake.uploads.receive`). The last one has the file put together: at once, or by a worker.

    Raises Refused 460 where the whole is not what was announced, Conflict where the declaration does not take it.
    """
    actor.require("declarations.declare")
    upload = uploads.receive(upload=upload, stream=stream, offset=offset, length=length, checksum=checksum)
    if not uploads.is_complete(upload):
        return upload
    if upload.size > _AT_ONCE:
        _enqueue(upload.pk)
        return upload
    try:
        return finish_upload(upload.pk) or upload
    except Refusal:
        raise
    except Exception:  # all bytes are here: whatever it is, a worker tries again
        log.warning("uploads.not_finished", upload=upload.pk, exc_info=True)
        return upload


def finish_upload(upload_id: int) -> Upload | None:
    """Put a complete upload together and attach it; None where there is nothing to do, or the declaration is busy."""
    return uploads.finish(upload_id, _hand_over)


def _hand_over(upload: Upload, stored: StoredFile) -> None:
    about = Declaration.objects.select_related("licence__licensee").filter(pk=upload.about_id or 0).first()
    if about is None:
        raise NotFound(_("The declaration that the file was sent for is gone."))
    sender = uploads.sender(upload)
    if not sender.can("declarations.declare"):
        detail = say(
            "{sender}, who began this upload, may no longer declare for {firm}. Send the file again as somebody who may.",
            sender=sender.label, firm=about.licence.licensee.name,
        )  # fmt: skip
        raise Forbidden(detail)
    require_declarant(sender, about.licence)
    try:
        attach_stored(actor=sender, declaration=about, stored=stored, path=upload.path, reserved=True)
    except Conflict as conflict:
        if conflict.code == "processing":
            raise uploads.Later from conflict
        raise


def resume_uploads() -> int:
    """Finish what is complete: what waited for its declaration, and what a killed process left."""
    done = 0
    for upload_id in uploads.complete():
        try:
            done += finish_upload(upload_id) is not None
        except Refusal as refusal:
            log.info("uploads.refused", upload=upload_id, code=refusal.code)
        except OSError:
            log.warning("uploads.not_finished", upload=upload_id, exc_info=True)
    return done


def sweep_uploads() -> int:
    return uploads.sweep(SYSTEM)


def cancel_upload(*, actor: Actor, upload: Upload) -> None:
    actor.require("declarations.declare")
    uploads.cancel(actor=actor, upload=upload)


def _enqueue(upload_id: int) -> None:
    from licensing.declarations.tasks import finish_upload as task  # tasks stand above services
    from licensing.declarations.tasks import send

    transaction.on_commit(lambda: send(task, upload_id))
