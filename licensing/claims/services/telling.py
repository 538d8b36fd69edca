"""What everybody may see of an unmatched item: what the lines call it, and how much of it was used. Nothing of the firm's."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from licensing.claims.models import Unmatched
from licensing.matching.core import SEVERAL, members


@dataclass(frozen=True, slots=True)
class PublicItem:
    """`identifiers` as scheme and value; an item that is named by title alone has none, nor are a firm's own numbers shown."""

    id: int
    society: str
    kind: str
    title: str
    creators: str
    identifiers: tuple[tuple[str, str], ...]
    units: dict[str, int]

    @property
    def name(self) -> str:
        """What it is called; of one that is known by numbers of a firm's own alone, that it is."""
        named = self.title or " ".join(value for _scheme, value in self.identifiers)
        return named or _("Named by the user's own numbers only")


def public(item: Unmatched) -> PublicItem:
    return PublicItem(
        id=item.pk,
        society=str(item.society),
        kind=item.kind,
        title=item.title or (item.value.partition(" / ")[0] if item.scheme == "title" else ""),
        creators=item.creators,
        identifiers=tuple(identifiers(item)),
        units={unit: int(units) for unit, units in sorted(item.units.items())},
    )


def identifiers(item: Unmatched) -> list[tuple[str, str]]:
    """An item's identifiers that say something to everybody."""
    named = members(item.value) if item.scheme == SEVERAL else [(item.scheme, item.value)]
    return [(scheme, value) for scheme, value in named if scheme not in ("title", "proprietary")]
