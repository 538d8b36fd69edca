"""`declare FILE… --licence REF --from DATE --to DATE [--use U] [--unit U] [--model NAME] [--dataset NAME] …`"""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandParser

from accounts.identity.core import SYSTEM, Refusal, say
from config.commands import Command as BaseCommand
from licensing import terms
from licensing.declarations import services
from licensing.declarations.models import Declaration
from licensing.declarations.services.progress import Progress
from licensing.licences.services import find_licence


class Command(BaseCommand):
    help = "Declare use from a file, several, or a folder. The same licence, period and files give the declaration that exists."

    def add_arguments(self, parser: CommandParser) -> None:
        day = datetime.date.fromisoformat
        parser.add_argument("file", type=Path, nargs="+", help="or a folder: what its folders are named is read, too")
        parser.add_argument("--licence", required=True, metavar="REF")
        parser.add_argument("--from", dest="first_day", required=True, type=day, metavar="DATE")
        parser.add_argument("--to", dest="end", required=True, type=day, metavar="DATE", help="first day after it")
        parser.add_argument("--use", default="", choices=["", *terms.USES], help="where a line names none")
        parser.add_argument("--unit", default="", choices=["", *terms.UNITS], help="where a line names none")
        parser.add_argument("--model", default="", metavar="NAME", help="the model that was trained or run")
        parser.add_argument("--dataset", default="", metavar="NAME", help="where a line names none")
        parser.add_argument("--territory", default="KR", metavar="KR")
        parser.add_argument("--reference", default="", help="the licensee's own")
        parser.add_argument(
            "--base", action="append", default=[], type=_base, metavar="NAME=N", help="of a percentage charge"
        )
        parser.add_argument("--submit", action="store_true", help="hand it in; it is immutable afterwards")
        parser.add_argument(
            "--wait", action="store_true", help="process it in this process, and say on stderr how far it is"
        )

    def run(
        self, *, file: list[Path], licence: str, first_day: datetime.date, end: datetime.date, base: Any, **options: Any
    ) -> dict[str, Any]:
        declaration = services.declare_files(
            actor=SYSTEM,
            licence=find_licence(actor=SYSTEM, ref=licence, pointer="/licence"),
            period=(first_day, end),
            files=[sent for path in file for sent in files_of(path)],
            bases=dict(base),
            tell=self._tell if options["wait"] else None,
            **options,
        )
        return shown(declaration)

    def _tell(self, progress: Progress) -> None:
        self.stderr.write(told(progress))


def files_of(path: Path) -> list[services.Sent]:
    """The file, or those of a folder in the order of their paths; what begins with a dot or an underscore is none."""
    if not path.is_dir():
        return [services.Sent(path.name, lambda: _opened(path))]
    name = path.resolve().name
    below = sorted(each.relative_to(path) for each in path.rglob("*") if each.is_file())
    found = [each for each in below if not any(part.startswith((".", "_")) for part in each.parts)]
    if not found:
        raise Refusal("no_file", say("The folder {folder} has no files.", folder=path))
    return [
        services.Sent(each.name, lambda each=each: _opened(path / each), path=f"{name}/{each.as_posix()}")  # type: ignore[misc]
        for each in found
    ]


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise Refusal("no_file", say("{file} cannot be read: {why}.", file=path, why=error.strerror)) from error


def told(progress: Progress) -> str:
    """How far it is, in one line."""
    parts = [f"{progress.step or progress.status}: {progress.percent} %"]
    if progress.files > 1:
        parts.append(f"{progress.files_read} of {progress.files} files")
    parts.append(f"{progress.bytes_read:,} of {progress.bytes:,} bytes")
    if progress.lines_read:
        parts.append(f"{progress.lines_read:,} lines")
    if progress.bytes_a_second:
        parts.append(f"{progress.bytes_a_second:,} bytes/s")
    if progress.seconds_left is not None:
        parts.append(f"about {progress.seconds_left} s left")
    return ", ".join(parts)


def shown(declaration: Declaration) -> dict[str, Any]:
    """What the contract prints of a declaration."""
    none = dict.fromkeys(("total", *terms.LINE_STATUSES), 0)
    fee = declaration.fee and {key: declaration.fee[key] for key in ("amount", "currency")}
    return {
        "declaration": declaration.pk,
        "status": declaration.status,
        "sha256": declaration.sha256,
        "lines": none | declaration.lines,
        "units": none | declaration.units,
        "works": declaration.works,
        "fee": fee,
        "questions": declaration.questions,
    }


def _base(text: str) -> tuple[str, int]:
    name, equals, amount = text.partition("=")
    if not name or not equals or not (amount.isascii() and amount.isdigit() and len(amount) <= 15):
        raise argparse.ArgumentTypeError("A base is NAME=N, with N a whole amount in minor units.")
    return name, int(amount)
