"""The headers `Content-Usage` (IETF AIPREF) and `Content-Signal`, its cousin; the same values stand in robots.txt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import http_sf

from accounts.identity.core import say
from licensing.signals import vocabulary as words_of
from licensing.signals.core import MOST_BYTES, THIS_FILE, Signal, Statement, everywhere, said

SOURCE: Final = "content-usage"
SIGNAL_SOURCE: Final = "content-signal"
_OLD: Final = frozenset(words_of.RESERVED_BY[words_of.AIPREF]) - {"train-ai", "search"}


class Preferences(NamedTuple):
    """What one value says: the uses that it reserves, those that it does not, and what was not understood."""

    reserved: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()


def read(raw: bytes) -> Signal:
    """`Content-Usage: train-ai=n, search=y`. It speaks of the very answer that it came with."""
    value = raw[: MOST_BYTES[SOURCE]]
    return _signal(SOURCE, words_of.AIPREF, raw, value, preferences(value))


def read_signal(raw: bytes) -> Signal:
    """`Content-Signal: search=yes, ai-train=no`."""
    value = raw[: MOST_BYTES[SIGNAL_SOURCE]]
    return _signal(SIGNAL_SOURCE, words_of.CONTENT_SIGNALS, raw, value, signals(value))


def _signal(source: str, vocabulary: str, raw: bytes, value: bytes, found: Preferences) -> Signal:
    problems = found.problems
    if len(raw) > len(value):
        problems += (say("Only the first {most} bytes were read.", most=len(value)),)
    statements = (Statement(THIS_FILE, found.reserved, found.allowed),) if found.reserved or found.allowed else ()
    return Signal(source, vocabulary, statements, value, problems=problems)


def preferences(value: bytes) -> Preferences:
    """A structured dictionary (RFC 9651) of which only the tokens `y` and `n` are preferences.

    >>> sorted(preferences(b"train-ai=n, search=y").reserved)
    ['finetune', 'train']
    >>> preferences(b'train-ai="n", search=?0').reserved
    frozenset()
    """
    try:
        found: Any = http_sf.parse(value.strip(b" \t\r\n"), tltype="dictionary")
    except (http_sf.StructuredFieldError, ValueError, RecursionError):
        return Preferences(problems=(say("A Content-Usage value is no dictionary of tokens and says nothing."),))
    no: set[str] = set()
    yes: set[str] = set()
    problems: list[str] = []
    for word, (answer, _parameters) in found.items():
        uses = words_of.reserved_by(word, words_of.AIPREF)
        token = str(answer) if isinstance(answer, http_sf.Token) else ""
        if not uses:
            problems.append(say("Content-Usage knows no “{word}”.", word=word[:60]))
        elif token == "n":
            no |= uses
        elif token == "y" and word not in _OLD:
            yes |= uses
        elif token != "y":
            problems.append(say("The value of “{word}” is neither y nor n.", word=word))
        if uses and word in _OLD:
            problems.append(say("“{word}” is a word of an older draft; only its “no” counts.", word=word))
    return Preferences(*said(no, yes), tuple(problems))


def signals(value: bytes) -> Preferences:
    """Pairs with commas between; where one word has both answers, no counts.

    >>> sorted(signals(b"search=yes,ai-train=no").allowed)
    ['index']
    """
    no: set[str] = set()
    yes: set[str] = set()
    problems: list[str] = []
    for pair in value.decode("ascii", "replace").split(","):
        word, _equals, answer = (part.strip().lower() for part in pair.partition("="))
        uses = words_of.reserved_by(word, words_of.CONTENT_SIGNALS)
        if uses and answer in ("yes", "no"):
            (yes if answer == "yes" else no).update(uses)
        elif word:
            problems.append(say("Content-Signal does not say “{pair}”.", pair=pair.strip()[:60]))
    return Preferences(*said(no, yes), tuple(problems))


def write(reservations: Sequence[Statement]) -> str:
    """The value of a `Content-Usage` header that says all that is reserved at any of the places; "" where it has no word.

    >>> write([Statement("/", frozenset({"train"}), frozenset({"index"}))])
    'train-ai=n, search=y'
    """
    return _written(reservations, words_of.AIPREF, "y", "n", ", ")


def write_signal(reservations: Sequence[Statement]) -> str:
    """The value of a `Content-Signal` header.

    >>> write_signal([Statement("/", frozenset({"ground"}))])
    'ai-input=no'
    """
    return _written(reservations, words_of.CONTENT_SIGNALS, "yes", "no", ", ")


def _written(reservations: Sequence[Statement], vocabulary: str, yes: str, no: str, between: str) -> str:
    statement = everywhere(reservations) or Statement()
    answers = dict.fromkeys(words_of.words(statement.reserved, vocabulary), no)
    answers |= dict.fromkeys(words_of.allowed_words(statement, vocabulary), yes)
    return between.join(f"{word}={answers[word]}" for word in words_of.RESERVED_BY[vocabulary] if word in answers)
