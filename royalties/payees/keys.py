"""The keys under which accounts are sealed, in order: the first seals, all of them open.

`PAYEE_KEYS` lists them (32 bytes each, Base64); without it the installation makes one for itself in `var/payee-key`.
A key's name is derived from it, so that a row says under which one it lies without saying anything about it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from royalties.payees.core import Account

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the ring: what it seals with, what it makes fingerprints with, and its name."""

    id: str
    box: AESGCM
    pepper: bytes


def ring() -> tuple[Key, ...]:
    """The keys of this installation, the one that seals first."""
    texts = tuple(settings.PAYEE_KEYS) or (_local_key(Path(settings.VAR_DIR)),)
    return tuple(_key(text) for text in texts)


def current() -> Key:
    return ring()[0]


def seal(account: Account | None, *, payee_id: int, version: int, key: Key | None = None) -> bytes:
    """An account sealed for this payee and version, and no other: moved to another row it does not open."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + (key or current()).box.encrypt(nonce, _plain(account), _about(payee_id, version))


def unseal(sealed: bytes | memoryview, *, key_id: str, payee_id: int, version: int) -> Account | None:
    """The account. Raises Refusal where the key is not in the ring, or the bytes are not what was sealed for this row."""
    data = bytes(sealed)
    try:
        plain = key_of(key_id).box.decrypt(data[:_NONCE], data[_NONCE:], _about(payee_id, version))
    except (InvalidTag, ValueError):
        raise Refusal(
            "account_does_not_open",
            _(
                "The account of payee %(payee)s, version %(version)s, is not what was sealed for it. Do not pay it; tell the operator."
            )
            % {"payee": payee_id, "version": version},
        ) from None
    found = json.loads(plain)
    return Account(**found) if found else None


def key_of(key_id: str) -> Key:
    found = next((key for key in ring() if key.id == key_id), None)
    if found is None:
        raise Refusal(
            "payee_key_is_missing",
            _("The key %(key)s is not among PAYEE_KEYS. Put it back at the end of the list.") % {"key": key_id},
        )
    return found


def fingerprint(account: Account | None, said: tuple[str, ...], key: Key) -> str:
    """A digest of account and further values under a key: equal for what is equal, silent about what it is."""
    return hmac.new(key.pepper, b"\0".join([_plain(account), *(text.encode() for text in said)]), "sha256").hexdigest()


def _plain(account: Account | None) -> bytes:
    said = (
        {name: getattr(account, name) for name in ("kind", "account", "bank", "bic", "holder_name")} if account else {}
    )
    return json.dumps(said, ensure_ascii=False, sort_keys=True).encode()


def _about(payee_id: int, version: int) -> bytes:
    return f"jeongsan payee_details {payee_id} {version}".encode()


@lru_cache(maxsize=32)
def _key(text: str) -> Key:
    try:
        raw = base64.b64decode(
            text.strip().replace("-", "+").replace("_", "/") + "=" * (-len(text.strip()) % 4), validate=True
        )
    except binascii.Error as error:
        raise ImproperlyConfigured("PAYEE_KEYS lists keys of 32 bytes in Base64.") from error
    if len(raw) != 32:
        raise ImproperlyConfigured("PAYEE_KEYS lists keys of 32 bytes in Base64.")
    return Key(
        hashlib.sha256(b"jeongsan payee key " + raw).hexdigest()[:16],
        AESGCM(_derived(raw, b"seal")),
        _derived(raw, b"print"),
    )


def _derived(raw: bytes, use: bytes) -> Any:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"jeongsan.payees." + use).derive(raw)


def _local_key(var: Path) -> str:
    """This installation's own key, made once, on the disk before anything lies under it, readable by its owner only."""
    path = var / "payee-key"
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"payee-key.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
