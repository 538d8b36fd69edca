"""Files declared in one go: for the command, and for whoever has them at hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Refusal
from licensing.declarations import core
from licensing.declarations.models import Declaration
from licensing.declarations.services import quotas
from licensing.declarations.services.announcing import Announced, announce
from licensing.declarations.services.common import enqueue, require_declarant
from licensing.declarations.services.deciding import submit as submit_declaration
from licensing.declarations.services.drafting import Period, attach_stored, checked_period, same_file, start
from licensing.declarations.services.processing import process
from licensing.declarations.services.progress import Progress, progress_of
from licensing.declarations.services.stopping import resume
from licensing.intake.models import StoredFile
from licensing.intake.services import keep
from licensing.licences.models import Licence
from licensing.permissions.services.alive import alive

Status = Declaration.Status
_TELL_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Sent:
    """A file at hand: its name, its place in the folder that is declared (if it is one), and how to open it."""

    name: str
    opened: Callable[[], IO[bytes]]
    path: str = ""


def declare_file(
    *, actor: Actor, licence: Licence, period: Period, stream: IO[bytes], name: str, **options: Any
) -> Declaration:
    """`declare_files`, of one file that is open already."""
    return declare_files(actor=actor, licence=licence, period=period, files=[Sent(name, lambda: stream)], **options)


def declare_files(
    *,
    actor: Actor,
    licence: Licence,
    period: Period,
    files: Sequence[Sent],
    use: str = "",
    unit: str = "",
    model: str = "",
    dataset: str = "",
    reference: str = "",
    bases: Mapping[str, int] | None = None,
    territory: str = "KR",
    submit: bool = False,
    wait: bool = False,
    tell: Callable[[Progress], None] | None = None,
) -> Declaration:
    """Declare a file, or several as one; the same licence, period and bytes give the declaration that exists.

    `wait` processes it here, beside any worker; else a worker does. `tell` hears meanwhile how far it is, from a thread
    of its own. One whose processing was stopped is started again. Raises Refusal where the file cannot be read.
    """
    require_declarant(actor, licence)
    quotas.check_room(licence, 0)
    kept = [(file, _kept(actor, licence, file)) for file in files]
    digest = core.digest([stored.sha256 for _file, stored in kept])
    again: dict[str, Any] = {
        "licence": licence, "period": checked_period(period), "sha256": digest, "sandbox": actor.sandbox,
    }  # fmt: skip
    declaration = same_file(**again)
    if declaration is None:
        try:
            with transaction.atomic():
                declaration = start(
                    actor=actor, licence=licence, period=period, use=use, unit=unit, model=model, dataset=dataset,
                    reference=reference, bases=bases, territory=territory,
                )  # fmt: skip
                _attach(actor, declaration, kept)
        except Conflict:  # another process declared the same file just now
            declaration = same_file(**again)
            if declaration is None:
                raise
    if declaration.status == Status.DRAFT:  # its processing was stopped
        declaration = resume(actor=actor, declaration=declaration)
    if submit and declaration.status not in core.SUBMITTED:
        declaration = submit_declaration(actor=actor, declaration=declaration)
    if wait:
        declaration = _finished(declaration, tell)
    elif declaration.status == Status.RECEIVED:
        enqueue(declaration.pk)
    return declaration


def _kept(actor: Actor, licence: Licence, file: Sent) -> StoredFile:
    with file.opened() as stream:
        return keep(actor=actor, stream=stream, name=file.name, organisation=licence.licensee)


def _attach(actor: Actor, declaration: Declaration, kept: Sequence[tuple[Sent, StoredFile]]) -> None:
    """All of them before the first is processed: so several are announced."""
    if len(kept) > 1:
        announced = [Announced(file.path or file.name, stored.size, stored.sha256) for file, stored in kept]
        announce(actor=actor, declaration=declaration, files=announced)
    for file, stored in kept:
        path = file.path or (file.name if len(kept) > 1 else "")
        attach_stored(actor=actor, declaration=declaration, stored=stored, path=path, queue=False)


def _finished(declaration: Declaration, tell: Callable[[Progress], None] | None) -> Declaration:
    """Process it here, beside any worker, or wait for the workers that have it."""
    with _telling(declaration, tell):
        while declaration.status in core.WAITING:
            if process(declaration.pk) is None:
                time.sleep(0.2)
            declaration = Declaration.objects.select_related("licence").get(pk=declaration.pk)
    if declaration.status == Status.FAILED:
        first = declaration.problems[0]
        raise Refusal(first["code"], first["detail"], row=first.get("row"), errors=declaration.problems)
    if declaration.status == Status.DRAFT:
        raise Conflict("cancelled", _("Processing was stopped. Declare the file again to start it anew."))
    return declaration


@contextmanager
def _telling(declaration: Declaration, tell: Callable[[Progress], None] | None) -> Iterator[None]:
    if tell is None:
        yield
        return

    def look() -> None:
        now = Declaration.objects.filter(pk=declaration.pk).first()
        if now is not None and now.status in core.WAITING:
            tell(progress_of(now))

    with alive(look, every=_TELL_SECONDS, name=f"progress-{declaration.pk}"):
        yield
