"""Where a web location may be registered: itself, its paths upwards, its host, the hosts above.

The oracle of `match.sql`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

WEB: Final = ("domain", "url")
LEVELS: Final = 16  # of paths below a host that are looked up

# (scheme, normalised value) → the work registered under it.
Registered = Mapping[tuple[str, str], int]


def places(value: str, *, is_suffix: Callable[[str], bool]) -> Iterator[str]:
    """Every place that a normalised location lies in, the most specific first; never a public suffix.

    `en.m.wikipedia.org/wiki/X` lies in itself, `en.m.wikipedia.org/wiki`, `en.m.wikipedia.org`, `m.wikipedia.org` and
    `wikipedia.org`. A path is written with and without a final slash.
    """
    yield value
    location = value.partition("?")[0]
    host, _slash, path = location.partition("/")
    segments = path.rstrip("/").split("/") if path.rstrip("/") else []
    for n in range(min(len(segments), LEVELS), 0, -1):
        yield "/".join([host, *segments[:n]])
        yield "/".join([host, *segments[:n], ""])
    yield f"{host}/"
    labels = host.partition(":")[0].split(".")
    for place in (host, *(".".join(labels[n:]) for n in range(len(labels)))):
        if not is_suffix(place):
            yield place


def nearest(scheme: str, value: str, registered: Registered, *, is_suffix: Callable[[str], bool]) -> int | None:
    """The work that an identifier finds: its own, or for the web the most specific place's. None: unmatched.

    At the same place the identifier as written goes first, then one of the same scheme.
    """
    if (scheme, value) in registered or scheme not in WEB:
        return registered.get((scheme, value))
    return nearest_of(scheme, value, places(value, is_suffix=is_suffix), registered)


def nearest_of(scheme: str, value: str, places: Iterable[str], registered: Registered) -> int | None:
    """The same for a web location whose places are known."""
    if (scheme, value) in registered:
        return registered[scheme, value]
    found = [(len(place.rstrip("/")), place, s) for place in places for s in WEB if (s, place) in registered]
    if not found:
        return None
    _size, place, which = min(found, key=lambda f: (-f[0], f[1] != value, f[2] != scheme, -len(f[1]), f[2]))
    return registered[which, place]
