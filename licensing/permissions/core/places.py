"""Places on the web that are reserved: hosts and paths, narrowed by patterns. Pure; the oracle of `permit.sql` for places.

A place is a host, or a host and a path: everything at or below it. A pattern is a path as robots.txt writes it: `*` is
any text, `$` the end, and without it everything that begins so. Patterns speak of the very host of their place.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from licensing.matching import core as matching
from licensing.repertoire.identifiers.web import NOT_A_URL, domain, is_public_suffix, url
from licensing.repertoire.identifiers.wrong import BadIdentifier

_WILD: Final = re.compile(r"[*]|[$]$")
MOST_WILDCARDS: Final = 4
ESCAPE: Final = "!"  # of LIKE, since a backslash means something else in some engines' texts


def place_of(text: str) -> tuple[str, str]:
    """The place and pattern that a person means: a host, an address, or either with `*` in its path.

    >>> place_of("https://Example.com/")
    ('example.com', '')
    >>> place_of("example.com/books/")
    ('example.com/books', '')
    >>> place_of("example.com/books/*.html$")
    ('example.com/books', '/books/*.html$')

    Raises BadIdentifier with the reason.
    """
    text = text.strip().removeprefix("*.")  # whatever lies below a host is meant with it
    if "/" not in text and "?" not in text:
        return domain(text), ""
    before, wild = _split_at_wildcard(text)
    if wild:
        host, path = _host_and_path(before)
        return location_on(host, path + wild)
    host, path = _host_and_path(text)
    return (host + path.rstrip("/"), "") if "?" not in path else location_on(host, f"{path}$")


def location_on(host: str, location: str) -> tuple[str, str]:
    """The place and pattern of a location that a site's own file names, such as TDMRep's or robots.txt's.

    >>> location_on("example.com", "/")
    ('example.com', '')
    >>> location_on("example.com", "/books")
    ('example.com', '/books')
    >>> location_on("example.com", "/books/*")
    ('example.com/books', '/books/')
    """
    pattern = location if location.startswith(("/", "*")) else f"/{location}"
    pattern = re.sub(r"\*+$", "", re.sub(r"\*{2,}", "*", pattern))
    if pattern in ("", "/"):
        return host, ""
    literal = _WILD.split(pattern.partition("?")[0])[0]
    return host + literal.rpartition("/")[0], pattern


def speaks_of(place: str, pattern: str, excepting: Collection[str], value: str) -> bool:
    """Whether a reservation of this place counts for this location (a normalised `domain` or `url`).

    >>> speaks_of("example.com", "", [], "news.example.com/a")
    True
    >>> speaks_of("example.com", "/books/*.html$", [], "example.com/books/1.html")
    True
    >>> speaks_of("example.com", "", ["/press/"], "example.com/press/kit")
    False
    """
    return place in ancestors(value) and speaks_below(place, pattern, excepting, value)


def speaks_below(place: str, pattern: str, excepting: Collection[str], value: str) -> bool:
    """The same for a location that is known to lie at or below the place."""
    if pattern and not _fits(place, pattern, value):
        return False
    return not any(_fits(place, other, value) for other in excepting)


def ancestors(value: str) -> Iterator[str]:
    """Every place that a location lies in: itself, its paths upwards, its host and the hosts above."""
    return matching.places(value, is_suffix=is_public_suffix)


def like(place: str, pattern: str) -> str:
    """The pattern as SQL's LIKE over whole locations, with `ESCAPE '!'`.

    >>> like("example.com/books", "/books/*_1.html$")
    'example.com/books/%!_1.html'
    """
    escaped = re.sub(r"([!%_])", rf"{ESCAPE}\1", _host(place) + pattern.removesuffix("$")).replace("*", "%")
    return escaped if pattern.endswith("$") else f"{escaped}%"


def bounded(pattern: str) -> str:
    """A pattern of so few `*` that matching it takes no time; what comes after the last of them is not looked at.

    >>> bounded("/a*b*c*d*e*f*g$")
    '/a*b*c*d*'
    """
    parts = pattern.split("*")
    return pattern if len(parts) <= MOST_WILDCARDS + 1 else "*".join([*parts[:MOST_WILDCARDS], ""])


def _fits(place: str, pattern: str, value: str) -> bool:
    """As `like` finds it, on the place's own host. In one pass: each part at its first place, the last at the end."""
    glob = _host(place) + (pattern[:-1] if pattern.endswith("$") else f"{pattern}*")
    first, *parts = glob.split("*")
    if not parts:
        return value == first
    if not value.startswith(first):
        return False
    at = len(first)
    for part in parts[:-1]:
        at = value.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(value) - at >= len(parts[-1]) and value.endswith(parts[-1])


def _host(place: str) -> str:
    return place.partition("/")[0]


def _split_at_wildcard(text: str) -> tuple[str, str]:
    """An address up to its first `*` or final `$`, and the rest with it."""
    found = _WILD.search(text)
    return (text[: found.start()], text[found.start() :]) if found else (text, "")


def _host_and_path(text: str) -> tuple[str, str]:
    host, slash, path = url(text).partition("/")
    if is_public_suffix(host.partition(":")[0]):
        domain(host.partition(":")[0])
        raise BadIdentifier(NOT_A_URL)
    return host, slash + path
