"""Training and data mining assertions of content credentials: CAWG 1.1, and C2PA's own before it.

An assertion speaks of the file that carries it. It is read whether or not its signature is trusted: a reservation binds
whoever sees it, and a signature that is not valid is named in the problems. `constrained` counts as not allowed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import c2pa

from accounts.identity.core import say
from licensing.signals import vocabulary as words_of
from licensing.signals.core import MOST_BYTES, THIS_FILE, Signal, Statement, everywhere, said
from licensing.signals.hardened import NotRead, entries, json_of, text, web_address

SOURCE: Final = "c2pa"
LABEL: Final = "cawg.training-mining"
OLD_LABEL: Final = "c2pa.training-mining"
MOST_JSON: Final = 8 * 1024 * 1024
MOST_ASSERTIONS: Final = 1_000
MOST_CHUNKS: Final = 50_000  # of a PNG: each costs the library far more than its bytes
ALLOWED, NOT_ALLOWED, CONSTRAINED = "allowed", "notAllowed", "constrained"


def read(raw: bytes) -> Signal:
    """The text of an assertion, or of a manifest or manifest store as tools print it."""
    try:
        document = json_of(raw, MOST_JSON)
    except NotRead as problem:
        return Signal(SOURCE, words_of.CAWG, raw=raw[:MOST_JSON], problems=(str(problem),))
    return _signal(document, raw, [])


def read_file(raw: bytes, *, media_type: str) -> Signal | None:
    """A file with content credentials; none, where it has none. What cannot be read is a problem, never an error."""
    if len(raw) > MOST_BYTES[SOURCE]:
        problem = say("The file is longer than {most} bytes and was not read.", most=MOST_BYTES[SOURCE])
        return Signal(SOURCE, words_of.CAWG, problems=(problem,))
    if media_type == "image/png" and _is_all_chunks(raw):
        return Signal(SOURCE, words_of.CAWG, problems=(say("The content credentials could not be read."),))
    try:
        with c2pa.Context.from_dict(_OFFLINE) as context:
            reader = c2pa.Reader.try_create(media_type, io.BytesIO(raw), context=context)
            if reader is None:
                return None
            with reader:
                store = reader.json()
    except c2pa.C2paError:
        return Signal(SOURCE, words_of.CAWG, problems=(say("The content credentials could not be read."),))
    packet = store.encode()
    try:
        document = json_of(packet, MOST_JSON)
    except NotRead as problem:
        return Signal(SOURCE, words_of.CAWG, problems=(str(problem),))
    problems = []
    if entries(document).get("validation_state") not in ("Valid", "Trusted"):
        problems.append(
            say("The signature of the content credentials is not valid. What they reserve counts all the same.")
        )
    return _signal(document, packet, problems)


def _is_all_chunks(raw: bytes) -> bool:
    """Whether a PNG has more chunks than any picture, most of them empty."""
    at, chunks = 8, 0
    while at < len(raw) and chunks <= MOST_CHUNKS:
        at, chunks = at + 12 + int.from_bytes(raw[at : at + 4], "big"), chunks + 1
    return chunks > MOST_CHUNKS


# Nothing is fetched while a file is read: no remote manifest, no certificate status.
_OFFLINE: Final = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}


def _signal(document: object, raw: bytes, problems: list[str]) -> Signal:
    found = list(_assertions(document))
    no: set[str] = set()
    yes: set[str] = set()
    policy, vocabulary = "", words_of.CAWG
    if not found:
        problems.append(say("There is no training and data mining assertion."))
    for label, assertion in found[:MOST_ASSERTIONS]:
        if label.startswith(OLD_LABEL):
            vocabulary = words_of.C2PA
        for word, entry in entries(assertion.get("entries")).items():
            uses = _uses(word)
            answer = entry if isinstance(entry, str) else text(entries(entry).get("use"))
            if not uses:
                problems.append(say("Content credentials know no use “{word}”.", word=word[:60]))
            elif answer == ALLOWED:
                yes |= uses
            elif answer in (NOT_ALLOWED, CONSTRAINED):
                no |= uses
                policy = policy or web_address(entries(entry).get("constraint_info"))
            else:
                problems.append(say("“{word}” is neither allowed nor not allowed.", word=word))
    reserved, allowed = said(no, yes)
    statements = (Statement(THIS_FILE, reserved, allowed, policy),) if reserved or allowed else ()
    return Signal(SOURCE, vocabulary, statements, raw, problems=tuple(problems))


def _uses(word: str) -> frozenset[str]:
    """The same words begin with `c2pa.` in the older assertion."""
    return words_of.reserved_by(word.replace("c2pa.", "cawg.", 1) if word.startswith("c2pa.") else word, words_of.CAWG)


def _assertions(document: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every such assertion: of the active manifest and its ingredients, of one manifest, or the document itself."""
    top = entries(document)
    manifests = [entries(each) for each in entries(top.get("manifests")).values()] or [top]
    for manifest in manifests:
        listed = manifest.get("assertions")
        for each in listed if isinstance(listed, list) else []:
            label = text(entries(each).get("label"))
            if label.startswith((LABEL, OLD_LABEL)):
                yield label, entries(entries(each).get("data"))
    if top.get("entries"):
        yield text(top.get("label")) or LABEL, top
    elif text(top.get("label")).startswith((LABEL, OLD_LABEL)):
        yield text(top.get("label")), entries(top.get("data"))


def write(reservations: Sequence[Statement]) -> str:
    """The assertion for a file, as signing tools take it. Terms, where there are any, make a use `constrained`.

    >>> print(write([Statement("", frozenset({"ground"}))]))
    {
      "label": "cawg.training-mining",
      "data": {
        "entries": {
          "cawg.ai_inference": {
            "use": "notAllowed"
          }
        }
      }
    }
    """
    statement = everywhere(reservations) or Statement()
    no: dict[str, Any] = {"use": NOT_ALLOWED}
    if statement.policy:
        no = {"use": CONSTRAINED, "constraint_info": statement.policy}
    answers = dict.fromkeys(words_of.words(statement.reserved, words_of.CAWG), no)
    answers |= {word: {"use": ALLOWED} for word in words_of.allowed_words(statement, words_of.CAWG)}
    return json.dumps({"label": LABEL, "data": {"entries": answers}}, indent=2, ensure_ascii=False)
