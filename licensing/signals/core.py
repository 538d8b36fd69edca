"""What an outside signal states: which uses are reserved where. Pure; every reader makes these, every writer takes them.

A signal expresses a reservation or a preference, never a licence: `allowed` only says that this signal does not reserve.
Of the statements of one signal the first that covers a path speaks, alone. Several signals add up: a use is reserved
where any of them reserves it, and what none speaks of is unknown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from licensing import terms

EVERYTHING: Final = frozenset(terms.USES)
EVERYWHERE: Final = "/"
THIS_FILE: Final = ""
MOST_PROBLEMS: Final = 50

KIB: Final = 1024
MIB: Final = 1024 * KIB
# What a reader takes of each kind. A robots.txt, a header and a page are read up to here; a longer file of another kind, not at all.
MOST_BYTES: Final = {
    "robots": 500 * KIB,  # what RFC 9309 asks of everybody
    "content-usage": 16 * KIB,
    "content-signal": 16 * KIB,
    "tdmrep": MIB,
    "tdmrep-header": 16 * KIB,
    "tdmrep-meta": MIB,
    "epub": 256 * MIB,
    "pdf": 256 * MIB,
    "rsl": MIB,
    "c2pa": 256 * MIB,
    "tdmai": MIB,
}

# TDMRep can be said in several places; where more than one speaks, the standard lets the last of these win.
TDMREP_PRECEDENCE: Final = ("tdmrep", "tdmrep-header", "tdmrep-meta", "epub", "pdf")


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said about the paths that `location` covers; "" is the file that it was found in.

    `reserved` and `allowed` hold our use codes. `policy` is the address of terms; `territory` the countries it is said for.
    """

    location: str = EVERYWHERE
    reserved: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    policy: str = ""
    territory: tuple[str, ...] = (terms.ANY,)

    def covers(self, path: str) -> bool:
        return covers(self.location, path)


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal as it was found, and what was understood of it. `problems` names what was not, in sentences.

    `raw` is what was read: the file or header, or of an EPUB, a PDF or a signed file the part that makes the statement.
    """

    source: str
    vocabulary: str
    statements: tuple[Statement, ...] = ()
    raw: bytes = b""
    sha256: str = field(default="")
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.sha256:
            object.__setattr__(self, "sha256", hashlib.sha256(self.raw).hexdigest())
        object.__setattr__(self, "problems", tuple(dict.fromkeys(self.problems))[:MOST_PROBLEMS])

    def speaks(self, path: str) -> Statement | None:
        """The statement about a path: the first that covers it, or none, where the signal is silent.

        >>> Signal("tdmrep", "", (Statement("/open/"), Statement("/", EVERYTHING))).speaks("/open/a").location
        '/open/'
        """
        return next((statement for statement in self.statements if statement.covers(path)), None)


def strictest(signals: Iterable[Signal], path: str) -> frozenset[str]:
    """The uses that are reserved at a path by any of the signals. Nothing is said about the others.

    >>> sorted(strictest([Signal("rsl", "", (Statement("/", frozenset({"train"})),)),
    ...                   Signal("robots", "", (Statement("/a", frozenset({"index"})),))], "/a/b"))
    ['index', 'train']
    """
    spoken = [(signal, said) for signal in signals if (said := signal.speaks(path))]
    ranks = [TDMREP_PRECEDENCE.index(signal.source) for signal, _ in spoken if signal.source in TDMREP_PRECEDENCE]
    prevailing = max(ranks, default=0)
    return frozenset().union(
        *(
            said.reserved
            for signal, said in spoken
            if signal.source not in TDMREP_PRECEDENCE or TDMREP_PRECEDENCE.index(signal.source) == prevailing
        )
    )


def covers(pattern: str, path: str) -> bool:
    """Whether a pattern speaks of a path: `*` is any text, a `$` at the end the end; without it, all that begins so.

    >>> covers("/books/", "/books/1"), covers("/*.pdf$", "/a/b.pdf"), covers("/*.pdf$", "/b.pdf?x"), covers("", "/")
    (True, True, False, True)
    """
    return _fits(_glob(normal_path(pattern)), normal_path(path))


def within(inner: str, outer: str) -> bool:
    """Whether every path that `inner` covers is covered by `outer` too.

    >>> within("/books/a", "/books/"), within("/*.pdf$", "/"), within("/*.pdf", "/books/")
    (True, True, False)
    """
    # Only a `*` of the outer pattern can hold what a `*` of the inner one stands for.
    return _fits(_glob(outer), _glob(inner).replace("*", "\0"))


def overlap(one: str, other: str) -> bool:
    """Whether two patterns may cover a path in common. Never wrongly no.

    >>> overlap("/a/", "/b/"), overlap("/a/", "/*.pdf$"), overlap("/*.txt$", "/*.pdf$")
    (False, True, False)
    """
    if within(one, other) or within(other, one):
        return True
    a, b = _glob(one), _glob(other)
    if "*" not in a or "*" not in b:
        return False  # one of them is a single path, and not within the other
    starts, ends = (a.partition("*")[0], b.partition("*")[0]), (a.rpartition("*")[2], b.rpartition("*")[2])
    return (starts[0].startswith(starts[1]) or starts[1].startswith(starts[0])) and (
        ends[0].endswith(ends[1]) or ends[1].endswith(ends[0])
    )


def normal_path(text: str) -> str:
    """A path or pattern as RFC 9309 compares it: octets outside ASCII percent-encoded, unreserved ones not.

    >>> normal_path("/%7ejoe/한"), normal_path("/a%2fb")
    ('/~joe/%ED%95%9C', '/a%2Fb')
    """
    if _PLAIN.fullmatch(text):
        return text
    encoded = "".join(each if "!" <= each <= "~" else _escaped(each) for each in text)
    return _ESCAPE.sub(_unescaped, encoded)


def _escaped(letter: str) -> str:
    """The octets of a letter; of one that stands for an octet that was no UTF-8, that octet."""
    octets = letter.encode("utf-8", "surrogateescape" if "\udc80" <= letter <= "\udcff" else "replace")
    return "".join(f"%{octet:02X}" for octet in octets)


_PLAIN: Final = re.compile(r"[!-$&-~]*")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _unescaped(found: re.Match[str]) -> str:
    letter = chr(int(found[1], 16))
    return letter if letter in _UNRESERVED else found[0].upper()


def _glob(pattern: str) -> str:
    return pattern[:-1] if pattern.endswith("$") else pattern + "*"


def _fits(glob: str, text: str) -> bool:
    """Whether a text fits a pattern of which `*` stands for any text. In one pass: each piece at its first place."""
    pieces = glob.split("*")
    if len(pieces) == 1:
        return text == glob
    if not text.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    for piece in pieces[1:-1]:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return len(text) - at >= len(pieces[-1]) and text.endswith(pieces[-1])


def said(reserved: Iterable[str], allowed: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """What is reserved and what is not, where both were said of one use: reserved."""
    no = frozenset(reserved)
    return no, frozenset(allowed) - no


def everywhere(statements: Sequence[Statement]) -> Statement | None:
    """The statement about a whole site or file, for formats that know no paths: all that is reserved at any of them.

    >>> sorted(everywhere([Statement("/a", frozenset({"train"})), Statement("/", frozenset({"index"}))]).reserved)
    ['index', 'train']
    """
    if not statements:
        return None
    no, yes = said(
        frozenset().union(*(each.reserved for each in statements)),
        frozenset.intersection(*(each.allowed for each in statements)),
    )
    policy = next((each.policy for each in statements if each.policy), "")
    countries = {country for each in statements if each.reserved for country in each.territory}
    territory = (terms.ANY,) if terms.ANY in countries or not countries else tuple(sorted(countries))
    return Statement(THIS_FILE, no, yes, policy, territory)


def without_shadowed(statements: Sequence[Statement]) -> list[Statement]:
    """The statements that can speak at all: none that lies within an earlier one.

    >>> [each.location for each in without_shadowed([Statement("/a"), Statement("/a/b"), Statement("/")])]
    ['/a', '/']
    """
    kept: list[Statement] = []
    for each in statements:
        if not any(within(normal_path(each.location), normal_path(earlier.location)) for earlier in kept):
            kept.append(each)
    return kept


def longest_first(statements: Iterable[Statement]) -> list[Statement]:
    """The order in which statements speak where the longest location wins and, of equal ones, the most restrictive.

    >>> [sorted(each.reserved) for each in longest_first([Statement("/a", frozenset({"train"})), Statement("/a", frozenset({"index"}))])]
    [['index', 'train']]
    """
    merged: dict[tuple[str, tuple[str, ...]], Statement] = {}
    for each in statements:
        key = (normal_path(each.location), ())
        other = merged.get(key)
        if other is None:
            merged[key] = each
            continue
        no, yes = said(other.reserved | each.reserved, other.allowed | each.allowed)
        countries = frozenset((*other.territory, *each.territory))
        merged[key] = Statement(
            other.location,
            no,
            yes,
            other.policy or each.policy,
            (terms.ANY,) if terms.ANY in countries else tuple(sorted(countries)),
        )
    return sorted(merged.values(), key=lambda each: -len(normal_path(each.location)))


def for_longest(statements: Sequence[Statement]) -> list[Statement]:
    """The same statements for a format in which the longest location wins instead of the first.

    Where an earlier, shorter location overlaps a later, longer one, both speak there, so that nothing is lost.

    >>> [sorted(each.reserved) for each in for_longest([Statement("/*.pdf$", frozenset({"train"})), Statement("/books/new/")])]
    [['train'], ['train']]
    """
    kept: list[Statement] = []
    for each in without_shadowed(statements):
        reserved, place = each.reserved, normal_path(each.location or EVERYWHERE)
        for earlier in kept:
            other = normal_path(earlier.location)
            if len(other) <= len(place) and overlap(place, other):
                reserved |= earlier.reserved
        kept.append(replace(each, location=place, reserved=reserved, allowed=each.allowed - reserved))
    return longest_first(kept)
