"""Finding an organisation by the reference that people write."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.identity.core import NotFound
from accounts.organisations.models import Organisation


def find_organisation(*, ref: str, kind: str, pointer: str | None = None) -> Organisation:
    """The organisation of this kind with this reference; raises NotFound, naming the kind that was looked for."""
    found = Organisation.objects.filter(ref=ref, kind=kind).first()
    if found is None:
        label = Organisation.Kind(kind).label
        raise NotFound(
            _("There is no %(kind)s with the reference “%(ref)s”.") % {"kind": label, "ref": ref}, pointer=pointer
        )
    return found
