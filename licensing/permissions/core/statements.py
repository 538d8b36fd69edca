"""From what a signal states to what it reserves at a host, and back to what a host may state. Pure.

A signal is an ordered list: of its statements, the first that matches a path speaks, alone. A reservation stands by
itself: a pattern, and patterns that it does not speak of. Several signals, or several holders, add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from licensing import terms
from licensing.signals.core import EVERYWHERE, Statement, overlap, within


@dataclass(frozen=True, slots=True)
class Reserved:
    """Uses that are reserved at those paths of a host that match `pattern` and none of `excepting`."""

    pattern: str
    excepting: tuple[str, ...] = ()
    uses: frozenset[str] = frozenset()
    territory: tuple[str, ...] = (terms.ANY,)


def reserved_by(statements: Sequence[Statement]) -> list[Reserved]:
    """What a list of statements, of which the first that matches speaks, reserves; each entry stands by itself.

    A statement does not speak of what an earlier one speaks of, unless that reserves the same use just so.

    >>> free, rest = Statement("/open/", frozenset(), frozenset({"train"})), Statement("/", frozenset({"train"}))
    >>> [(r.pattern, r.excepting) for r in reserved_by([free, rest])]
    [('/', ('/open/',))]
    """
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for place, statement in enumerate(statements):
        territory = tuple(sorted(set(statement.territory))) or (terms.ANY,)
        for use in sorted(statement.reserved):
            excepting = tuple(
                dict.fromkeys(
                    normal(earlier.location)
                    for earlier in statements[:place]
                    if use not in earlier.reserved or tuple(sorted(set(earlier.territory))) != territory
                )
            )
            pattern = normal(statement.location)
            if not any(within(pattern, other) for other in excepting):
                found.setdefault((pattern, excepting, territory), set()).add(use)
    return [
        Reserved(pattern, excepting, frozenset(uses), territory)
        for (pattern, excepting, territory), uses in found.items()
    ]


def stated(reserved: Iterable[Reserved], *, policy: str = "") -> tuple[Statement, ...]:
    """An ordered list of statements, the first that matches speaks, that reserves at least as much at every path.

    It reserves exactly as much, except where two patterns overlap without one lying within the other: there a list of
    which one entry speaks cannot say both, and both are then reserved on the whole of either (the stricter reading).

    >>> [(s.location, sorted(s.reserved)) for s in stated([Reserved("/", ("/open/",), frozenset({"train"}))])]
    [('/open/', []), ('/', ['train'])]
    """
    known = [each for each in reserved if each.uses]
    places = {each.pattern for each in known} | {other for each in known for other in each.excepting}
    return tuple(_statement(place, known, policy) for place in _specific_first(places))


def _statement(place: str, known: Sequence[Reserved], policy: str) -> Statement:
    speaking = [
        each
        for each in known
        if (within(place, each.pattern) or _crosses(place, each.pattern))
        and not any(within(place, other) for other in each.excepting)
    ]
    uses = frozenset().union(*(each.uses for each in speaking))
    # What an exception leaves free is said so, as far as what lies around it is reserved.
    around = frozenset().union(*(each.uses for each in known if within(place, each.pattern)))
    countries = {code for each in speaking for code in each.territory}
    return Statement(
        location=place,
        reserved=uses,
        allowed=around - uses,
        policy=policy if uses else "",
        territory=(terms.ANY,) if terms.ANY in countries or not countries else tuple(sorted(countries)),
    )


def _specific_first(places: set[str]) -> list[str]:
    """What lies within another comes before it, as it lies within more of them; else the longer first."""
    return sorted(places, key=lambda place: (-sum(within(place, other) for other in places), -len(place), place))


def normal(location: str) -> str:
    """A location as one pattern: what is everywhere is `/`, a `*` at the end says nothing.

    >>> [normal(each) for each in ("", "/", "/*", "*", "/b/*", "/b$", "/b/**$")]
    ['/', '/', '/', '/', '/b/', '/b$', '/b/']
    """
    text = location.strip()
    while "**" in text:
        text = text.replace("**", "*")
    text = text.removesuffix("*$").removesuffix("*") if text.endswith(("*", "*$")) else text
    return text or EVERYWHERE


def _crosses(one: str, other: str) -> bool:
    """Whether two patterns, neither within the other, may have a path in common."""
    return overlap(one, other) and not within(one, other) and not within(other, one)
