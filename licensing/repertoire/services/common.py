"""What the verbs of a repertoire share: gathering what is wrong, and saving with evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.repertoire.core import BadShare
from licensing.repertoire.identifiers import BadIdentifier
from licensing.repertoire.models import Holder, Work

Row = TypeVar("Row", Holder, Work)


class Errors:
    """Gathers what is wrong, so that a person sees all of it at once."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def add(self, field: str, detail: str) -> None:
        self.found.append({"code": "invalid", "detail": detail, "pointer": f"/{field}"})

    def value(self, field: str, rule: Any, *arguments: Any) -> Any:
        """What the rule gives, or None and an error."""
        try:
            return rule(*arguments)
        except (BadIdentifier, BadShare) as bad:
            self.add(field, _(bad.reason))
            return None

    def raise_any(self) -> None:
        if self.found:
            first = self.found[0]
            raise Refusal(first["code"], first["detail"], pointer=first["pointer"], errors=self.found)


def check_ref(ref: str, taken: bool) -> None:
    if not ref or len(ref) > 64 or not ref.isprintable():
        raise Refusal("bad_ref", _("Give a reference of 1 to 64 characters."), pointer="/ref")
    if taken:
        raise Conflict("ref_taken", _("This reference is in use already."), pointer="/ref")


def fill(row: Holder | Work, fields: Mapping[str, Any], errors: Errors) -> None:
    """Set the fields, trimmed, and hold them to their columns' rules."""
    for name, value in fields.items():
        setattr(row, name, value.strip() if isinstance(value, str) else value)
    try:
        row.clean_fields(exclude=["society", "ref", *(name for name, value in vars(row).items() if value is None)])
    except ValidationError as invalid:
        for field, messages in invalid.message_dict.items():
            if not any(error["pointer"] == f"/{field}" for error in errors.found):
                errors.add(field, " ".join(messages))
    errors.raise_any()


def saved(actor: Actor, kind: str, row: Row, society: Organisation) -> Row:
    new = row.pk is None
    row.save()
    record(
        actor=actor,
        verb=f"{kind}.{'added' if new else 'changed'}",
        object=Reference(kind, row.pk),
        organisation_id=society.pk,
        data={"ref": row.ref},
    )
    return row
