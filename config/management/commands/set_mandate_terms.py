"""`set_mandate_terms --society REF --text FILE [--text-ko FILE] --notice-days N [--notice-to day|month|year] --from DATE`"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.services import find_organisation
from config.actors import actor_by_email
from config.commands import Command as BaseCommand
from licensing.permissions.services import signing


def _read(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        detail = _("%(file)s cannot be read as UTF-8 text.") % {"file": path.name}
        raise Refusal("unreadable_file", detail, pointer="/text") from None


class Command(BaseCommand):
    help = "Lay down the words that a society's members sign, and the notice with which they can take a mandate back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--text", required=True, type=Path, metavar="FILE", help="the terms in English, UTF-8")
        parser.add_argument("--text-ko", type=Path, metavar="FILE", help="the terms in Korean, UTF-8")
        parser.add_argument("--notice-days", required=True, type=int, metavar="N")
        parser.add_argument("--notice-to", default="day", choices=["day", "month", "year"], help="(default: day)")
        parser.add_argument("--from", dest="start", required=True, type=datetime.date.fromisoformat, metavar="DATE")
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who sets them (default: the system)")

    def run(self, *, society: str, start: datetime.date, email: str | None, **options: Any) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        terms = signing.set_terms(
            actor=actor_by_email(email, owner) if email else SYSTEM, society=owner, text=_read(options["text"]),
            text_ko=_read(options["text_ko"]), notice_days=options["notice_days"], notice_to=options["notice_to"],
            valid_from=start,
        )  # fmt: skip
        return {
            "society": owner.ref, "version": terms.version, "sha256": terms.sha256, "notice_days": terms.notice_days,
            "notice_to": terms.notice_to, "valid_from": terms.valid_from.isoformat(),
        }  # fmt: skip
