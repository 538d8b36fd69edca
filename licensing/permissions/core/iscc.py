"""Near copies by their International Standard Content Codes (ISO 24138). Pure; the oracle of `near.sql`.

A code begins with four nibbles: main type, subtype, version, length. Of a Content-Code the body follows; of a composite
ISCC-CODE the bodies of its units, 64 bits each, in the order of their main types. Similar contents have similar bodies.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

NEAR: Final = (
    40  # differing bits of 256 below which one content is a near copy of another; of shorter codes in proportion
)
LEAST_BITS: Final = 64  # to compare: fewer would find near copies by chance
WORDS: Final = 8  # of 32 bits, in which a body is compared

_CONTENT, _COMPOSITE = 2, 5  # main types
_UNIT: Final = 8  # bytes of a unit in a composite code
_LAST_MEDIUM: Final = (
    4  # subtypes: text, image, audio, video, mixed; a composite may have others, without a content unit
)
_WITH_CONTENT, _WITH_SEMANTIC, _WITH_META = 1, 2, 4  # flags in a composite's length nibble


@dataclass(frozen=True, slots=True)
class Content:
    """What an ISCC says of a content: its form (medium and version), and the bits that similar contents share."""

    form: int
    bits: int
    body: int

    def words(self) -> tuple[int, ...]:
        """The body as words of 32 bits, the first bits first, filled with zeros."""
        whole = self.body << (32 * WORDS - self.bits)
        return tuple(whole >> 32 * (WORDS - 1 - n) & 0xFFFFFFFF for n in range(WORDS))


def content_of(code: str) -> Content | None:
    """The content part of a normalised ISCC; None where it has none.

    >>> content_of("EAASKDNZNYGUUF5A")
    Content(form=0, bits=64, body=5822304266391427002)
    """
    try:
        raw = base64.b32decode(code + "=" * (-len(code) % 8))
    except binascii.Error:
        return None
    if len(raw) < 2:
        return None
    main, subtype, version, length = raw[0] >> 4, raw[0] & 15, raw[1] >> 4, raw[1] & 15
    if main == _CONTENT and subtype <= _LAST_MEDIUM and length < WORDS and version < 8:
        body = raw[2 : 2 + 4 * (length + 1)]
        whole = len(body) == 4 * (length + 1)
    elif main == _COMPOSITE and subtype <= _LAST_MEDIUM and length < 8 and length & _WITH_CONTENT and version < 8:
        start = 2 + _UNIT * (bool(length & _WITH_META) + bool(length & _WITH_SEMANTIC))
        body = raw[start : start + _UNIT]
        whole = len(body) == _UNIT
    else:
        return None
    return Content(subtype << 4 | version, 8 * len(body), int.from_bytes(body, "big")) if whole else None


def near(one: Content, other: Content) -> bool:
    """Whether two contents are near copies: of the same form, and fewer than 40 of 256 bits differ.

    A shorter body is the beginning of a longer one; as much as both have is compared.
    """
    bits = min(one.bits, other.bits)
    if one.form != other.form or bits < LEAST_BITS:
        return False
    differing = (one.body >> (one.bits - bits) ^ other.body >> (other.bits - bits)).bit_count()
    return differing * 256 < NEAR * bits
