"""TDM·AI declarations (docs.tdmai.org): preferences bound to the fingerprint of a work, its ISCC (ISO 24138).

Where the work lies does not matter, so the location of a statement is the ISCC itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from accounts.identity.core import say
from licensing.signals import vocabulary as words_of
from licensing.signals.core import EVERYTHING, MOST_BYTES, Signal, Statement, everywhere, said
from licensing.signals.hardened import NotRead, entries, json_of, text, web_address
from licensing.signals.tdmrep import POLICY, RESERVATION

SOURCE: Final = "tdmai"
VERSION: Final = "1.0"
MOST_DECLARATIONS: Final = 1_000
_ISCC: Final = re.compile(r"ISCC:[A-Z2-7]{10,80}")
_YES: Final = ("true", "y", True)
_NO: Final = ("false", "n", False)


def read(raw: bytes) -> Signal:
    """One declaration, or a list of them.

    >>> signal = read(b'{"iscc": "ISCC:KACT4EBWK27737D2", "intent": "activate", "all": "false", "search": "true"}')
    >>> sorted(signal.speaks("ISCC:KACT4EBWK27737D2").allowed)
    ['index']
    """
    try:
        document = json_of(raw, MOST_BYTES[SOURCE])
    except NotRead as problem:
        return Signal(SOURCE, words_of.TDMAI, raw=raw[: MOST_BYTES[SOURCE]], problems=(str(problem),))
    declarations = document if isinstance(document, list) else [document]
    problems: list[str] = []
    if len(declarations) > MOST_DECLARATIONS:
        problems.append(say("Only the first {most} declarations were read.", most=MOST_DECLARATIONS))
    statements = [_declaration(entries(each), problems) for each in declarations[:MOST_DECLARATIONS]]
    return Signal(SOURCE, words_of.TDMAI, tuple(each for each in statements if each), raw, problems=tuple(problems))


def _declaration(declaration: Any, problems: list[str]) -> Statement | None:
    iscc = iscc_of(declaration.get("iscc"))
    if not iscc:
        problems.append(say("A declaration is not bound to an ISCC and says nothing."))
        return None
    answers = {word: declaration[word] for word in words_of.RESERVED_BY[words_of.TDMAI] if word in declaration}
    for word, answer in answers.items():
        if answer not in _YES + _NO:
            problems.append(say("The value of “{word}” is neither true nor false.", word=word))
    no: set[str] = set()
    yes: set[str] = set()
    for word, answer in answers.items():
        uses = words_of.reserved_by(word, words_of.TDMAI)
        if answer in _YES:
            yes |= uses
        elif answer in _NO and word != "all":
            no |= uses
    if answers.get("all") in _NO:
        # What lies outside of "all" (use as input, search) is open only where it says so itself.
        apart = {"ai-use", "search"} & {word for word, answer in answers.items() if answer in _YES}
        no |= EVERYTHING.difference(*(words_of.reserved_by(word, words_of.TDMAI) for word in apart))
    if declaration.get(RESERVATION) in (1, "1"):
        no |= EVERYTHING
    elif declaration.get(RESERVATION) in (0, "0"):
        yes |= EVERYTHING
    reserved, allowed = said(no, yes)
    if not reserved and not allowed:
        problems.append(say("The declaration for {iscc} says nothing.", iscc=iscc))
        return None
    policy = web_address(declaration.get(POLICY)) or web_address(declaration.get("policy"))
    return Statement(iscc, reserved, allowed, policy)


def iscc_of(value: object) -> str:
    """An ISCC as it is written in full, or none.

    >>> iscc_of(" iscc:kact4ebwk27737d2 "), iscc_of("ISCC:1")
    ('ISCC:KACT4EBWK27737D2', '')
    """
    found = text(value).upper()
    found = found if found.startswith("ISCC:") else f"ISCC:{found}"
    return found if _ISCC.fullmatch(found) else ""


def write(reservations: Sequence[Statement], *, iscc: str, intent: str = "activate") -> str:
    """A declaration for one work.

    >>> print(write([Statement("", frozenset({"ground"}))], iscc="ISCC:KACT4EBWK27737D2"))
    {
      "version": "1.0",
      "iscc": "ISCC:KACT4EBWK27737D2",
      "ai-use": "false",
      "intent": "activate"
    }
    """
    statement = everywhere(reservations) or Statement()
    answers = dict.fromkeys(words_of.words(statement.reserved, words_of.TDMAI), "false")
    answers |= dict.fromkeys(words_of.allowed_words(statement, words_of.TDMAI), "true")
    policy = {"policy": statement.policy} if statement.policy else {}
    return json.dumps(
        {"version": VERSION, "iscc": iscc} | answers | {"intent": intent} | policy, indent=2, ensure_ascii=False
    )
