"""The house's signing keys: what it answered, it signs, and anybody can check it without asking again.

A signature is a compact JWS (RFC 7515) by Ed25519 (RFC 8037) over canonical JSON (RFC 8785). The public halves are
published at `/.well-known/jwks.json`: the present key, and those of `SIGNING_KEYS_RETIRED`, so that what was signed
before a change of keys stays checkable.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import jwt
import rfc8785
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal

ALGORITHM = "EdDSA"
MOST_BYTES = 32 * 1024**2
_MOST_HEADER = 2048
_HEADER = {"alg", "typ", "kid"}
_JWS = jwt.PyJWS(algorithms=[ALGORITHM])


@dataclass(frozen=True, slots=True)
class Key:
    """A private key and its name: the thumbprint of its public half (RFC 7638), the same wherever it is computed."""

    kid: str
    private: Ed25519PrivateKey


def current() -> Key:
    """The key that signs now: `SIGNING_KEY`, else the one that this installation made for itself under `var/`."""
    return _key(settings.SIGNING_KEY or _local_key(Path(settings.VAR_DIR)))


def jwks() -> dict[str, Any]:
    """The public halves (RFC 7517): the present one first, then those that signed before."""
    public = [current().private.public_key(), *(_public(text) for text in settings.SIGNING_KEYS_RETIRED)]
    return {"keys": list({jwk["kid"]: jwk for jwk in map(_jwk, public)}.values())}


def sign(payload: dict[str, Any], *, typ: str) -> str:
    """This payload as a compact JWS. `typ` says what kind of statement it is (`permission-receipt+jws`)."""
    key = current()
    headers = {"typ": typ, "kid": key.kid}
    return _JWS.encode(rfc8785.dumps(payload), key.private, algorithm=ALGORITHM, headers=headers)


def verify(jws: str, keys: dict[str, Any] | None = None, *, typ: str) -> dict[str, Any]:
    """What one of these keys (a JWK set; without it: our own) signed as this `typ`.

    Raises Refusal `unknown_key` where the key that it names is not among them, and `bad_signature` for everything else:
    another algorithm or type, a header that we do not know, a payload that is not canonical, any changed byte.
    """
    if not isinstance(jws, str) or len(jws) > MOST_BYTES or not jws.isascii() or jws.count(".") != 2:
        _refuse()
    header = _header(jws.split(".")[0])
    if set(header) != _HEADER or header["alg"] != ALGORITHM or header["typ"] != typ:
        _refuse()
    key = _find(header["kid"], jwks() if keys is None else keys)
    signature = jws.rpartition(".")[2]
    try:
        if _encoded(_decoded(signature)) != signature:
            _refuse()  # another spelling of the same bytes is not what was signed
        raw = _JWS.decode_complete(jws, key, algorithms=[ALGORITHM])["payload"]
        payload = json.loads(raw)
        if not isinstance(payload, dict) or rfc8785.dumps(payload) != raw:
            _refuse()
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        _refuse()
    return payload


def _header(text: str) -> dict[str, Any]:
    if len(text) > _MOST_HEADER:
        _refuse()
    try:
        header = json.loads(_decoded(text))
    except (ValueError, RecursionError):
        _refuse()
    return header if isinstance(header, dict) else _refuse()


def _find(kid: Any, keys: dict[str, Any]) -> Ed25519PublicKey:
    """The key of that name in a set. A set of somebody else's is outside input: what is no key in it is passed over."""
    listed = keys.get("keys") if isinstance(keys, dict) else None
    for jwk in listed if isinstance(listed, list) else ():
        if isinstance(jwk, dict) and jwk.get("kid") == kid and jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
            try:
                return Ed25519PublicKey.from_public_bytes(_decoded(str(jwk.get("x", ""))))
            except ValueError:
                _refuse()
    raise Refusal("unknown_key", _("The signature names a key that is not among the published ones."))


def _refuse() -> NoReturn:
    raise Refusal("bad_signature", _("The signature does not fit: this was not signed, or changed afterwards."))


@lru_cache(maxsize=8)
def _key(text: str) -> Key:
    """A private key as PEM, or its 32 bytes in Base64."""
    try:
        if "-----BEGIN" in text:
            pem = text.replace("\\n", "\n").encode()
            private = serialization.load_pem_private_key(pem, password=None)
        else:
            private = Ed25519PrivateKey.from_private_bytes(_decoded(text.strip()))
    except (ValueError, TypeError) as error:
        raise ImproperlyConfigured("SIGNING_KEY is neither 32 bytes in Base64 nor a private key in PEM.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ImproperlyConfigured("SIGNING_KEY must be an Ed25519 key.")
    return Key(_jwk(private.public_key())["kid"], private)


@lru_cache(maxsize=32)
def _public(text: str) -> Ed25519PublicKey:
    """A retired key: the `x` that the published set showed for it, or its public half in PEM."""
    try:
        if "-----BEGIN" not in text:
            return Ed25519PublicKey.from_public_bytes(_decoded(text.strip()))
        public = serialization.load_pem_public_key(text.replace("\\n", "\n").encode())
    except (ValueError, TypeError) as error:
        raise ImproperlyConfigured("SIGNING_KEYS_RETIRED lists the `x` of each retired public key.") from error
    if not isinstance(public, Ed25519PublicKey):
        raise ImproperlyConfigured("SIGNING_KEYS_RETIRED must list Ed25519 keys.")
    return public


def _jwk(public: Ed25519PublicKey) -> dict[str, str]:
    shape = {"crv": "Ed25519", "kty": "OKP", "x": _encoded(public.public_bytes_raw())}
    kid = _encoded(hashlib.sha256(rfc8785.dumps(dict(shape))).digest())
    return {**shape, "kid": kid, "alg": ALGORITHM, "use": "sig"}


def _local_key(var: Path) -> str:
    """The key of this installation, made once and readable by its owner only; races end with one key for all.

    It is on the disk before it signs anything: a key that a crash forgot would leave signatures that nobody can check.
    """
    path = var / "signing-key"
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"signing-key.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(_encoded(Ed25519PrivateKey.generate().private_bytes_raw()) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """Base64 in either alphabet, with or without padding; ValueError for anything else in it."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
