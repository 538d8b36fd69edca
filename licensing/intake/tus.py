"""The words of the tus protocol 1.0.0: what its headers say. Pure; `services` keep the bytes, an API speaks it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any, Final

from accounts.identity.core import Refusal, say

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,checksum,termination,expiration"
ALGORITHMS: Final = ("sha256", "sha1")
MEDIA_TYPE: Final = "application/offset+octet-stream"
MOST_DIGITS: Final = 18  # of a number of bytes


class Refused(Refusal):
    """A refusal with the status that the protocol wants."""

    def __init__(self, status: int, code: str, detail: str, **where: Any) -> None:
        super().__init__(code, detail, **where)
        self.status = status


@dataclass(frozen=True, slots=True)
class Checksum:
    """What `Upload-Checksum` announces of one part."""

    algorithm: str
    digest: bytes

    def start(self) -> Any:
        return hashlib.new(self.algorithm)


def check_version(said: str | None) -> None:
    if said is None:
        raise Refusal("no_version", say("Send the header Tus-Resumable: {version}.", version=VERSION))
    if said.strip() != VERSION:
        detail = say("This server speaks version {version} of the tus protocol.", version=VERSION)
        raise Refused(412, "unsupported_version", detail)


def whole_number(name: str, said: str | None) -> int:
    """A header that counts bytes. Raises Refusal `bad_header` where it is absent or no such number."""
    text = (said or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Refusal("bad_header", say("{name} must be a number of bytes, in digits.", name=name))
    return int(text)


def checksum(said: str | None) -> Checksum | None:
    """`sha256 <Base64>`, or nothing. Raises Refusal where it cannot be read or the algorithm is unknown."""
    if said is None:
        return None
    algorithm, _blank, coded = said.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        known = ", ".join(ALGORITHMS)
        raise Refusal("unknown_algorithm", say("Upload-Checksum must use one of: {known}.", known=known))
    digest = _decoded(coded.strip())
    if digest is None or len(digest) != hashlib.new(algorithm).digest_size:
        detail = say("Upload-Checksum must hold the digest of the part in Base64, after the algorithm's name.")
        raise Refusal("bad_header", detail)
    return Checksum(algorithm, digest)


def metadata(said: str | None) -> dict[str, str]:
    """`filename d29ya3M=,path …`: each value in Base64. Raises Refusal `bad_header` where that is not so."""
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in (said or "").split(","))):
        name, _blank, coded = pair.partition(" ")
        try:
            value = (_decoded(coded.strip()) or b"").decode()
        except UnicodeDecodeError:
            value = "\0"
        if name in found or (coded.strip() and not value) or "\0" in value:
            detail = say("Upload-Metadata must hold pairs of a name and its value in Base64, each name once.")
            raise Refusal("bad_header", detail)
        found[name] = value
    return found


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
