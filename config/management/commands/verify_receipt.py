"""`verify_receipt FILE [--keys FILE] [--items FILE] [--answer FILE]`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from config.commands import Command as BaseCommand
from licensing.permissions.services import receipts


class Command(BaseCommand):
    help = "Check the signature of a receipt of permission, and whether it is about these items and this answer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the receipt, or the API's answer with it")
        parser.add_argument(
            "--keys", type=Path, help="a JWK set, as saved from /.well-known/jwks.json (default: our own)"
        )
        parser.add_argument("--items", type=Path, help="the question: JSON as sent, or the file that was sent")
        parser.add_argument("--answer", type=Path, help="the answer: JSON as received, or the result file")

    def run(
        self, *, file: Path, keys: Path | None, items: Path | None, answer: Path | None, **options: Any
    ) -> dict[str, Any]:
        proof = receipts.verify(
            _read(file),
            keys_of=_key_set(keys) if keys else None,
            items=_read(items) if items else None,
            answer=_read(answer) if answer else None,
        )
        said = {name: value for name, value in proof.payload.items() if name != "verdicts"}
        return {
            "valid": proof.holds,
            "signature": True,
            "items_match": proof.asked,
            "answer_matches": proof.answered,
            **said,
        }

    def status(self, result: dict[str, Any]) -> int:
        return 0 if result["valid"] else 1


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
        raise Refusal("file_unreadable", detail) from error


def _key_set(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read(file))
    except ValueError as error:
        raise Refusal("not_json", _("The file is not JSON in UTF-8."), pointer="/keys") from error
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise Refusal("no_keys", _("This is no JWK set."), pointer="/keys")
    return found
