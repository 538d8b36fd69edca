"""From received to processed, in one process or in many: files are read one by one, then settled together; restartable.

    attach ─▶ received ─▶ [reading.read_file] a file, by as many workers as there are
                              └─ the last to end ─▶ [concluding.settle] match, permit, store ─▶ processed

Whatever falls silent on the way is found again by its state: nothing rests on a message that may be lost.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from licensing.declarations import core
from licensing.declarations.models import Declaration, DeclarationFile
from licensing.declarations.services.claiming import silent_since
from licensing.declarations.services.concluding import settle
from licensing.declarations.services.reading import read_file, to_read


def process(declaration_id: int) -> Declaration | None:
    """Do here what is to be done now: read the files that nobody reads, then settle. None where others are at work.

    Files that cannot be read fail the declaration with their problems. Any other error gives the work back, so that it
    is tried again, and is raised; after five attempts the declaration fails.
    """
    for file_id in to_read(declaration_id):
        read_file(file_id)
    return settle(declaration_id)


def stalled() -> list[int]:
    """Declarations that wait for processing without a sign of life, of their own or of a reader of their files."""
    silent = Declaration.objects.filter(status__in=core.WAITING, heartbeat_at__lt=silent_since())
    read_now = DeclarationFile.objects.filter(
        declaration=OuterRef("pk"), status=DeclarationFile.Status.READING, heartbeat_at__gte=silent_since()
    )
    return list(silent.filter(~Exists(read_now)).order_by("pk").values_list("pk", flat=True))
