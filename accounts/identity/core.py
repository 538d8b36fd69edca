"""Who acts, on what, and how a refusal is said. Pure: every floor above passes these values down and up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reference:
    """A plain pointer to any object: its kind (model name in snake case) and its id.

    The ground floor cannot know the models above it, so it stores these instead of foreign keys.
    """

    kind: str
    id: int | str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


_translate: Callable[[str], str] = str


def speak_with(translate: Callable[[str], str]) -> None:
    """Plug in what finds a sentence in the reader's language. Without it, everything is said in English."""
    global _translate
    _translate = translate


def say(sentence: str, /, **values: object) -> str:
    """A sentence with its values, in the reader's language: what `_` is on the floors that know no Django.

    >>> say("Line {line}: a posting is between two accounts.", line=3)
    'Line 3: a posting is between two accounts.'
    """
    return _translate(sentence).format(**values)


def gettext_noop(text: str) -> str:
    """Mark a text for the translator's tools where it is written; `say` or a page says it later."""
    return text


class Refusal(Exception):
    """Something the person asked for that cannot be done, with what is wrong, where, and what to do.

    It becomes problem+json in the API, a message on pages, and exit code 1 in commands. Nothing is half done.
    """

    status = 400

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        pointer: str | None = None,
        row: int | None = None,
        errors: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.pointer, self.row = code, detail, pointer, row
        own = (
            {"code": code, "detail": str(detail)}
            | ({"pointer": pointer} if pointer else {})
            | ({"row": row} if row else {})
        )
        self.errors: tuple[dict[str, Any], ...] = tuple(errors) or (own,)


class NotFound(Refusal):
    """No such object for this actor: absent and a stranger's look the same."""

    status = 404

    def __init__(self, detail: str, *, code: str = "not_found", **where: Any) -> None:
        super().__init__(code, detail, **where)


class Forbidden(Refusal):
    """The object is visible, but the actor's role does not allow this."""

    status = 403

    def __init__(self, detail: str, *, code: str = "forbidden", **where: Any) -> None:
        super().__init__(code, detail, **where)


class Conflict(Refusal):
    """The state of the object, or an earlier request, does not allow this now."""

    status = 409

    def __init__(self, code: str, detail: str, **where: Any) -> None:
        super().__init__(code, detail, **where)


@dataclass(frozen=True, slots=True)
class Actor:
    """The only identity that is passed down: a person or token, acting for one organisation or for holders.

    `holder_ids` are the rights holders whom a creator represents; `sandbox` actors see and make test data only.
    """

    kind: str  # user | token | system
    id: int | None
    label: str
    user_id: int | None = None
    organisation_id: int | None = None
    organisation_kind: str | None = None
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    holder_ids: frozenset[int] = field(default_factory=frozenset)
    sandbox: bool = False

    @property
    def is_system(self) -> bool:
        return self.kind == "system"

    @property
    def reference(self) -> Reference:
        return Reference(self.kind, self.id or 0)

    @property
    def is_society(self) -> bool:
        return self.organisation_kind == "society"

    @property
    def is_licensee(self) -> bool:
        return self.organisation_kind == "licensee"

    def can(self, permission: str) -> bool:
        return self.is_system or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the actor holds this permission."""
        if not self.can(permission):
            raise Forbidden(
                say(
                    "This needs the permission “{permission}”. Ask an administrator of your organisation for it.",
                    permission=permission,
                )
            )


SYSTEM = Actor(kind="system", id=None, label="system")
NOBODY = Actor(kind="anonymous", id=None, label="anonymous")
