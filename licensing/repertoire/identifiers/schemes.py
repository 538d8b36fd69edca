"""One function a scheme: text as people write it → the one form that is stored and matched."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from stdnum import isan, isbn, ismn, isni, isrc, issn
from stdnum.exceptions import InvalidChecksum

from accounts.identity.core import gettext_noop
from licensing import terms
from licensing.repertoire.identifiers.web import domain, url
from licensing.repertoire.identifiers.wrong import BadIdentifier

_LONGEST = 2048  # characters as written, and bytes in UTF-8 as stored: an index holds no more

EMPTY = gettext_noop("no identifier")
UNKNOWN_SCHEME = gettext_noop("unknown identifier scheme")
TOO_LONG = gettext_noop("the identifier is too long")
WRONG_CHECK_DIGIT = gettext_noop("wrong check digit")
WRONG_FORM = gettext_noop("not in the form of its scheme")


def normalise(scheme: str, text: str) -> str:
    """The normal form of an identifier, its check digit checked.

    >>> normalise("isbn", "0-306-40615-2")
    '9780306406157'
    >>> normalise("url", "HTTPS://Example.com:443/a?utm_source=x#top")
    'example.com/a'

    Raises BadIdentifier with the reason, a fixed phrase.
    """
    try:
        rule = _RULES[scheme]
    except KeyError:
        raise BadIdentifier(UNKNOWN_SCHEME) from None
    text = text.strip()
    if not text:
        raise BadIdentifier(EMPTY)
    if len(text) > _LONGEST:
        raise BadIdentifier(TOO_LONG)
    try:
        value = rule(text)
    except BadIdentifier:
        raise
    except InvalidChecksum:
        raise BadIdentifier(WRONG_CHECK_DIGIT) from None
    except ValueError:
        raise BadIdentifier(WRONG_FORM) from None
    if len(value.encode()) > _LONGEST:
        raise BadIdentifier(TOO_LONG)
    return value


def split(text: str) -> tuple[str, str]:
    """`scheme:value` as (scheme, value), the scheme in lower case. Raises BadIdentifier when there is no scheme."""
    scheme, colon, value = text.strip().partition(":")
    scheme = scheme.strip().lower()
    if not colon or scheme not in _RULES:
        raise BadIdentifier(UNKNOWN_SCHEME)
    return scheme, value


def _matched(pattern: str, text: str) -> re.Match[str]:
    found = re.fullmatch(pattern, text, re.ASCII)
    if not found:
        raise BadIdentifier(WRONG_FORM)
    return found


def _compact(text: str, *, drop: str = r"[\s\-]") -> str:
    return re.sub(drop, "", text).upper()


def _isbn(text: str) -> str:
    """ISBN-13 digits; an ISBN-10 is converted. 979-0 belongs to printed music."""
    plain = text.replace("-", "").replace(" ", "")
    if len(plain) == 13 and plain.isascii() and plain.isdigit() and plain.startswith(("978", "979")):
        if (sum(map(int, plain[::2])) + 3 * sum(map(int, plain[1::2]))) % 10:
            raise BadIdentifier(WRONG_CHECK_DIGIT)
        number = plain  # the usual spelling, checked ten times as fast here
    else:
        number = isbn.validate(text.removeprefix("ISBN").lstrip(": "), convert=True)
    if number.startswith("9790"):
        raise BadIdentifier(WRONG_FORM)
    return number


def _issn(text: str) -> str:
    return str(issn.validate(text))


def _ismn(text: str) -> str:
    """ISMN-13 digits; M and nine digits are converted."""
    return str(ismn.to_ismn13(ismn.validate(text)))


def _iswc(text: str) -> str:
    """T and ten digits, of which the last makes (1 + Σ i·dᵢ + c) a multiple of ten.

    >>> normalise("iswc", "T-034.524.680-1")
    'T0345246801'
    """
    number = _compact(text.upper().removeprefix("ISWC"), drop=r"[\s\-.:]")
    digits = [int(d) for d in _matched(r"T(\d{10})", number)[1]]
    if (1 + sum(i * d for i, d in enumerate(digits[:9], 1)) + digits[9]) % 10:
        raise BadIdentifier(WRONG_CHECK_DIGIT)
    return number


def _isrc(text: str) -> str:
    """Country, registrant, year and designation; no check digit."""
    return str(isrc.validate(text.upper().removeprefix("ISRC").lstrip(": ")))


def _isan(text: str) -> str:
    """Root and episode, and the version unless it is none, as hexadecimal digits without check characters."""
    number: str = isan.validate(re.sub(r"(?i)^isan[: ]*", "", text))
    digits = isan.compact(number)
    return digits[:16] if digits[16:] in ("", "00000000") else digits


def _doi(text: str) -> str:
    """Prefix and suffix in lower case, without a resolver's address; a DOI has no check digit."""
    name = re.sub(r"(?i)^(doi:\s*|(https?://)?(dx\.)?doi\.org/)", "", text).lower()
    return _matched(r"10\.\d{4,9}(\.\d+)*/[^\s\x00-\x1f]+", name)[0]


def _isni(text: str) -> str:
    return str(isni.validate(re.sub(r"(?i)^isni[: ]*", "", text)))


def _ipi(text: str) -> str:
    """An IPI name number: eleven digits, the last two of them 101 − Σ wᵢ·dᵢ mod 101, with weights 10 to 2.

    >>> normalise("ipi", "00014107338")
    '00014107338'
    """
    number = _matched(r"\d{6,11}", _compact(text, drop=r"[\s\-.]"))[0].zfill(11)
    total = sum(w * int(d) for w, d in zip(range(10, 1, -1), number, strict=False))
    if (101 - total % 101) % 101 % 100 != int(number[9:]):
        raise BadIdentifier(WRONG_CHECK_DIGIT)
    return number


def _iscc(text: str) -> str:
    """ISO 24138: base32 of a two-byte header and 4 to 32 bytes of body, without its prefix."""
    code = _compact(re.sub(r"(?i)^iscc:", "", text))
    _matched(r"[A-Z2-7]{10,60}", code)
    try:
        size = len(base64.b32decode(code + "=" * (-len(code) % 8)))
    except binascii.Error:
        raise BadIdentifier(WRONG_FORM) from None
    if not 6 <= size <= 34:
        raise BadIdentifier(WRONG_FORM)
    return code


def _uci(text: str) -> str:
    """Korea's Universal Content Identifier: the agency's code (I410) and the object's, in upper case."""
    code = re.sub(r"\s", "", re.sub(r"(?i)^uci[: ]*", "", text)).upper()
    return _matched(r"[A-Z]\d{3}(-[A-Z0-9]+)?([-:+][A-Z0-9._~]+)+", code)[0]


def _usco(text: str) -> str:
    """A registration or renewal number of the US Copyright Office: class and number, without leading zeros."""
    number = re.sub(r"\s", "", text).upper()
    found = _matched(r"([A-Z]\d-|[A-Z]{1,5}-?)([\d\-]*\d)", number)
    digits = found[2].replace("-", "").lstrip("0")
    if not 1 <= len(digits) <= 10:
        raise BadIdentifier(WRONG_FORM)
    prefix = found[1] if found[1][-2:-1].isdigit() else found[1].rstrip("-")
    return prefix + digits


def _proprietary(text: str) -> str:
    """A society's or licensee's own code, in NFC, blanks single."""
    code = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    if any(unicodedata.category(c).startswith("C") for c in code):
        raise BadIdentifier(WRONG_FORM)
    return code


_RULES: Final[Mapping[str, Callable[[str], str]]] = {
    "isbn": _isbn,
    "issn": _issn,
    "ismn": _ismn,
    "iswc": _iswc,
    "isrc": _isrc,
    "isan": _isan,
    "doi": _doi,
    "isni": _isni,
    "ipi": _ipi,
    "iscc": _iscc,
    "uci": _uci,
    "usco": _usco,
    "url": url,
    "domain": domain,
    "proprietary": _proprietary,
}
assert set(_RULES) == set(terms.SCHEMES)
