"""The base of every command: one result, said to people or, with `--json`, to programs.

Exit status: 0 done, 1 refused (something the person can put right), 2 wrong usage.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from accounts.identity.core import Refusal


class Parser(CommandParser):
    """Wrong usage ends with status 2, from the shell and from `call_command` alike (Django would raise there)."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\n")


class Command(BaseCommand):
    """A command whose work is one function from options to a result.

    Subclasses implement `run(**options)`, which returns the result as a dict of JSON values, and may implement
    `text(result)`, what a person reads instead. A `Refusal` from a service is reported and ends with status 1.
    """

    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = Parser
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")
        return parser

    def handle(self, *args: Any, as_json: bool = False, **options: Any) -> None:
        try:
            result = self.run(**{name: value for name, value in options.items() if name not in DJANGOS_OWN})
        except Refusal as refusal:
            self._refuse(refusal, as_json)
        if as_json:
            self.stdout.write(dumps(result))
        elif text := self.text(result):
            self.stdout.write(text)
        if status := self.status(result):
            raise SystemExit(status)

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Do the work; returns JSON values."""
        raise NotImplementedError

    def text(self, result: dict[str, Any]) -> str:
        """What a person reads: by default one `name: value` a line, nested values indented."""
        return "\n".join(lines(result))

    def status(self, result: dict[str, Any]) -> int:
        """The exit status of a finished command; `verify`, for one, finishes with 1 when it finds a fault."""
        return 0

    def _refuse(self, refusal: Refusal, as_json: bool) -> NoReturn:
        problem: dict[str, Any] = {"code": refusal.code, "detail": str(refusal.detail)}
        problem |= {key: value for key in ("pointer", "row") if (value := getattr(refusal, key)) is not None}
        problem["errors"] = [dict(error) for error in refusal.errors]
        if as_json:
            self.stdout.write(dumps({"error": problem}))
        else:
            self.stderr.write("\n".join(self._said(problem)))
        raise SystemExit(1)

    def _said(self, problem: dict[str, Any]) -> list[str]:
        """The refusal, then each further error with its place."""
        where = _place(problem)
        said = [f"Refused{where}: {problem['detail']}"]
        for error in problem["errors"]:
            if error.get("detail") and str(error["detail"]) != problem["detail"]:
                said.append(f"  {_place(error).strip(' ()') or error.get('code', '')}: {error['detail']}")
        return said


# Options that Django gives every command; the last two only `call_command` gives.
DJANGOS_OWN = frozenset(
    [
        "verbosity",
        "settings",
        "pythonpath",
        "traceback",
        "no_color",
        "force_color",
        "skip_checks",
        "as_json",
        "stdout",
        "stderr",
    ]
)


def dumps(value: Any) -> str:
    """One JSON object on one line, keys in the order given; dates and decimals as strings."""
    return json.dumps(value, ensure_ascii=False, default=str)


def lines(result: dict[str, Any], indent: str = "") -> list[str]:
    """`name: value` lines of a result."""
    found: list[str] = []
    for name, value in result.items():
        label = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(value, dict):
            found += [label, *lines(value, indent + "  ")]
        elif isinstance(value, list):
            found += [f"{label} {len(value)}"]
            found += [f"{indent}  {dumps(each) if isinstance(each, (dict, list)) else each}" for each in value]
        else:
            found.append(f"{label} {'' if value is None else f'{value:,}' if _is_amount(value) else value}")
    return found


def _is_amount(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _place(problem: dict[str, Any]) -> str:
    parts = [f"row {problem['row']}"] if problem.get("row") is not None else []
    parts += [str(problem["pointer"])] if problem.get("pointer") else []
    return f" ({', '.join(parts)})" if parts else ""
