"""References that nobody guesses and people can read out: `R-ABCD-EFGH-JKLM`, the first letter says what it is of."""

from __future__ import annotations

import secrets
from typing import Final

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # 0, 1, 8 and 9 are too like letters
LENGTH: Final = 12


def new_ref(kind: str) -> str:
    """A new reference of this kind, which is one letter."""
    return spelled(kind + "".join(secrets.choice(_LETTERS) for _n in range(LENGTH)), kind)


def spelled(ref: str, kind: str) -> str:
    """A reference as people type it, in the form in which it is kept.

    >>> spelled("r abcd efgh jklm", "R")
    'R-ABCD-EFGH-JKLM'
    """
    letters = "".join(c for c in ref.upper() if c.isalnum())[1 : 1 + LENGTH]
    return "-".join([kind, letters[:4], letters[4:8], letters[8:]])


def is_ref(text: str, kind: str) -> bool:
    """Whether this is a reference of this kind as `new_ref` makes them, to the letter."""
    letters = text.replace("-", "")[1:]
    return text == spelled(text, kind) and len(letters) == LENGTH and set(letters) <= set(_LETTERS)
