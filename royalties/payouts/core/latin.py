"""Texts as a bank's file takes them: one line, a bounded length, and basic Latin letters where a bank wants only these. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# The letters that every bank of SWIFT takes (character set X), without the slash: a slash may end a field or begin a code.
ALLOWED: Final = re.compile(r"[^A-Za-z0-9?:().,'+ -]")
# Revised Romanisation of Korean (2000), syllable by syllable as names of persons and firms are written.
_INITIAL: Final = ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"]
_VOWEL: Final = [
    "a",
    "ae",
    "ya",
    "yae",
    "eo",
    "e",
    "yeo",
    "ye",
    "o",
    "wa",
    "wae",
    "oe",
    "yo",
    "u",
    "wo",
    "we",
    "wi",
    "yu",
    "eu",
    "ui",
    "i",
]
_FINAL: Final = [
    "",
    "k",
    "k",
    "k",
    "n",
    "n",
    "n",
    "t",
    "l",
    "k",
    "m",
    "l",
    "l",
    "l",
    "p",
    "l",
    "m",
    "p",
    "p",
    "t",
    "t",
    "ng",
    "t",
    "t",
    "k",
    "t",
    "p",
    "t",
]
_ODD: Final = {
    "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "þ": "th",
    "Þ": "Th", "ð": "d", "&": "+", "_": "-", "–": "-", "—": "-", "’": "'", "‘": "'", "“": "'", "”": "'", '"': "'",
    "·": " ", "/": " ", ";": ",",
}  # fmt: skip


def line(text: str, most: int) -> str:
    """A text on one line, composed, without control characters, cut to a length.

    >>> line("  Kim\\tYuna ", 20)
    'Kim Yuna'
    """
    composed = unicodedata.normalize("NFC", text)
    plain = "".join(
        " " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in composed if _is_xml(each)
    )
    return " ".join(plain.split())[:most].rstrip()


def latin(text: str, most: int) -> str:
    """A text in basic Latin letters: accents fall away, Hangul is romanised; what has no such spelling becomes a point.

    >>> latin("김유나", 70), latin("Élodie Müller & Söhne", 70), latin("漢字", 70)
    ('Gimyuna', 'Elodie Muller + Sohne', '..')
    """
    spelled = "".join(_spelled(each) for each in re.findall(r"[가-힣]+|[^가-힣]", line(text, most * 4)))
    return " ".join(ALLOWED.sub(".", spelled).split())[:most].rstrip()


def _is_xml(character: str) -> bool:
    return (
        character in "\t\n\r"
        or "\x20" <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character > "\uffff"
    )


def _spelled(piece: str) -> str:
    if "가" <= piece[0] <= "힣":
        return "".join(map(_syllable, piece)).capitalize()
    if piece in _ODD:
        return _ODD[piece]
    bare = "".join(each for each in unicodedata.normalize("NFKD", piece) if not unicodedata.combining(each))
    return bare if bare.isascii() else "."


def _syllable(character: str) -> str:
    place = ord(character) - ord("가")
    return _INITIAL[place // 588] + _VOWEL[place % 588 // 28] + _FINAL[place % 28]
