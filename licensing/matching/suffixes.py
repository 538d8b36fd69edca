"""The pinned snapshot's public suffixes (`kr`, `co.kr`) as a table; `repertoire.identifiers.web` asks the same list."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from licensing.engine.core import Engine


def load(engine: Engine) -> None:
    """The table `public_suffix(name, rule)`: `exact`, `wild` (all names one label below) and `except` (of those)."""
    engine.table("public_suffix", {"name": "VARCHAR", "rule": "VARCHAR"}, _rules())


@cache
def _rules() -> list[tuple[str, str]]:
    text = files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text(encoding="utf-8")
    section = text.partition("===BEGIN ICANN DOMAINS===")[2].partition("===END ICANN DOMAINS===")[0]
    lines = (line.split()[0] for line in section.splitlines()[1:] if line.strip() and not line.startswith("//"))
    found = set()
    for line in lines:
        name = line.lstrip("!").removeprefix("*.").encode("idna").decode("ascii")
        if line.startswith("!"):
            found.add((name, "except"))
        else:
            found.add((name, "exact"))  # the parent of a wildcard is a suffix itself
            if line.startswith("*."):
                found.add((name, "wild"))
    return sorted(found)
