"""Public suffixes (`kr`, `co.kr`), under which nobody's domain lies alone: the ICANN section of the pinned snapshot."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from publicsuffixlist import PublicSuffixList

from licensing.engine.core import Engine


@cache
def _list() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


def is_suffix(host: str) -> bool:
    """Whether this normalised host is a public suffix, or a single label."""
    return "." not in host or _list().publicsuffix(host) == host


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
