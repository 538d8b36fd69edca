"""What a reservation is of, and who asks for it: the values that its services take."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from licensing.matching.core import title_key
from licensing.permissions.core import places
from licensing.permissions.models import Reservation
from licensing.repertoire.identifiers import BadIdentifier, normalise
from licensing.repertoire.models import Holder, Work

_LONGEST = 2048
_MOST_EXCEPTIONS = 100


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that is reserved. Made by `work`, `of_holder`, `place`, `identifier` or, from typed text, `typed`.

    `columns` are those of the model that say which; `title` and `creators` are as typed, for people alone.
    """

    kind: str
    columns: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    creators: str = ""

    @classmethod
    def work(cls, work: Work) -> Target:
        return cls(Reservation.Target.WORK, {"work": work})

    @classmethod
    def of_holder(cls, holder: Holder) -> Target:
        """All works in which the holder has a share, whenever they got it."""
        return cls(Reservation.Target.HOLDER, {"holder": holder})

    @classmethod
    def place(
        cls, place: str, pattern: str = "", excepting: Collection[str] = (), *, title: str = "", creators: str = ""
    ) -> Target:
        """A place as `core.places` writes it, with patterns of paths on its host."""
        # Where a pattern has too many wildcards to be matched quickly, more is reserved rather than less.
        kept = sorted({other for other in excepting if places.bounded(other) == other})
        columns = {"place": place, "pattern": places.bounded(pattern), "excepting": kept}
        if len(columns["excepting"]) > _MOST_EXCEPTIONS:
            raise Refusal("too_many_exceptions", _("These are too many exceptions: reserve parts instead."))
        if any(len(text) > _LONGEST for text in (place, pattern, *excepting)):
            raise Refusal("too_long", _("This web address is too long."), pointer="/place")
        return cls(Reservation.Target.PLACE, columns, title, creators)

    @classmethod
    def identifier(cls, scheme: str, value: str, *, title: str = "", creators: str = "") -> Target:
        """An identifier as people write it. A web address is a place, a `title` with its creators a name. Raises Refusal."""
        try:
            if scheme == "title":
                return cls(Reservation.Target.IDENTIFIER, _named(title or value, creators), title or value, creators)
            if scheme in ("url", "domain"):
                return cls.place(*places.place_of(value), title=title, creators=creators)
            columns = {"scheme": scheme, "value": normalise(scheme, value)}
        except BadIdentifier as error:
            raise Refusal("bad_identifier", str(error), pointer="/identifier") from error
        return cls(Reservation.Target.IDENTIFIER, columns, title, creators)


def _named(title: str, creators: str) -> dict[str, Any]:
    """A work without identifier, by the key under which declared titles are told apart."""
    key = title_key(title, creators)
    if not key or len(key.encode()) > _LONGEST:
        raise Refusal("bad_title", _("Give a title of ordinary length."), pointer="/title")
    return {"scheme": "title", "value": key}


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who reserves: a member by their holder, anyone else by name and e-mail. `role` is in their own words."""

    holder: Holder | None = None
    name: str = ""
    email: str = ""
    role: str = ""
    language: str = "ko"
