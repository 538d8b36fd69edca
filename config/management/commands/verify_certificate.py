"""`verify_certificate FILE [--keys FILE]`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from config.commands import Command as BaseCommand
from licensing.licences.services import certificates

MOST_BYTES = 1_000_000


class Command(BaseCommand):
    help = "Check the signature of a licence certificate. Whether the licence still holds is told at its address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="certificate.jws")
        parser.add_argument(
            "--keys", type=Path, help="a JWK set, as saved from /.well-known/jwks.json (default: our own)"
        )

    def run(self, *, file: Path, keys: Path | None, **options: Any) -> dict[str, Any]:
        said = certificates.verify(_read(file), _key_set(keys) if keys else None)
        return {"signature": True, **said}


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
        raise Refusal("file_unreadable", detail) from error


def _key_set(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read(file))
    except (ValueError, RecursionError) as error:
        raise Refusal("not_json", _("The file is not JSON in UTF-8."), pointer="/keys") from error
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise Refusal("no_keys", _("This is no JWK set."), pointer="/keys")
    return found
