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
WORD: Final = 64  # bits that are compared together; of fewer, copies would be near by chance
WORDS: Final = 4

_CONTENT, _COMPOSITE = 2, 5  # main types
_UNIT: Final = 8  # bytes of a unit in a composite code
_LAST_MEDIUM: Final = (
    4  # subtypes: text, image, audio, video, mixed; a composite may have others, without a content unit
)
_WITH_CONTENT, _WITH_SEMANTIC, _WITH_META = 1, 2, 4  # flags in a composite's length nibble


@dataclass(frozen=True, slots=True)
class Content:
    """What an ISCC says of a content: its form (medium and version), and the bits that similar contents share.

    `bits` are whole words: a few bits over are not looked at.
    """

    form: int
    bits: int
    body: int

    def words(self) -> tuple[int, ...]:
        """The body as words that databases keep: of 64 bits with a sign, the first bits first, filled with zeros."""
        whole = (self.body << (WORD * WORDS - self.bits)).to_bytes(WORD * WORDS // 8, "big")
        return tuple(int.from_bytes(whole[n : n + 8], "big", signed=True) for n in range(0, len(whole), 8))


def content_of(code: str) -> Content | None:
    """The content part of a normalised ISCC; None where it has none.

    >>> content_of("EAASKDNZNYGUUF5A")
    Content(form=0, bits=64, body=2669994036421072800)
    """
    try:
        raw = base64.b32decode(code + "=" * (-len(code) % 8))
    except binascii.Error:
        return None
    if len(raw) < 2:
        return None
    main, subtype, version, length = raw[0] >> 4, raw[0] & 15, raw[1] >> 4, raw[1] & 15
    if main == _CONTENT and subtype <= _LAST_MEDIUM and length < 8 and version < 8:
        start, size = 2, 4 * (length + 1)
    elif main == _COMPOSITE and subtype <= _LAST_MEDIUM and length < 8 and length & _WITH_CONTENT and version < 8:
        start = 2 + _UNIT * (bool(length & _WITH_META) + bool(length & _WITH_SEMANTIC))
        size = _UNIT
    else:
        return None
    body = raw[start : start + size // 8 * 8]
    if not body or len(raw) < start + size:
        return None
    return Content(subtype << 4 | version, 8 * len(body), int.from_bytes(body, "big"))


def near(one: Content, other: Content) -> bool:
    """Whether two contents are near copies: of the same form, and fewer than 40 of 256 bits differ.

    A shorter body is the beginning of a longer one; as much as both have is compared.
    """
    if one.form != other.form:
        return False
    bits = min(one.bits, other.bits)
    differing = (one.body >> (one.bits - bits) ^ other.body >> (other.bits - bits)).bit_count()
    return differing * 256 < NEAR * bits
