"""Finding works by what a person types: an identifier, a reference, or words of title and creators."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.identity.core import Actor, NotFound
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.models import Holder, WorkQuerySet

MOST_FOUND = 1000  # by words; who finds more says more


def looked_up(works: WorkQuerySet, asked: str) -> WorkQuerySet:
    """Those of the works that have this identifier (`isbn:…`), else this reference or all of these words."""
    try:
        scheme, text = split(asked)
        return works.named(scheme, normalise(scheme, text))
    except BadIdentifier:
        unordered = works.order_by()
        found = {*unordered.filter(ref=asked).values_list("pk", flat=True)[:MOST_FOUND]}
        found |= {*unordered.search(asked).values_list("pk", flat=True)[:MOST_FOUND]}
        return works.filter(pk__in=found)


def find_holder(*, actor: Actor, holder_id: int) -> Holder:
    """A holder whom the actor may see, or NotFound."""
    found = Holder.objects.visible_to(actor).select_related("society").filter(pk=holder_id).first()
    if found is None:
        raise NotFound(_("There is no such member."))
    return found
