"""Signing keys: what the house signed anybody can check, and nothing else passes for it."""

from __future__ import annotations

import base64
import json
import stat
import threading
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity import keys
from accounts.identity.core import Refusal

TYP = "permission-receipt+jws"
SEED = base64.b64encode(bytes(range(32))).decode()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _jws(header: Any, payload: bytes, key: Ed25519PrivateKey | None = None) -> str:
    """Signed by the present key whatever the header says."""
    signed = f"{_b64(json.dumps(header).encode())}.{_b64(payload)}"
    return f"{signed}.{_b64((key or keys.current().private).sign(signed.encode()))}"


def _header(**changes: Any) -> dict[str, Any]:
    return {"alg": "EdDSA", "typ": TYP, "kid": keys.current().kid} | changes


def _refused(jws: Any, code: str = "bad_signature", known: Any = None, typ: str = TYP) -> None:
    with pytest.raises(Refusal) as refusal:
        keys.verify(jws, known, typ=typ)
    assert refusal.value.code == code


PAYLOAD = {"verdict": "licensed", "as_of": "2026-01-01T00:00:00Z", "items": [1, 2, {"b": 1, "a": "한"}]}


def test_what_is_signed_is_verified() -> None:
    assert keys.verify(keys.sign(PAYLOAD, typ=TYP), typ=TYP) == PAYLOAD


def test_anybody_can_check_with_the_published_keys_and_a_library_of_their_own() -> None:
    jws, published = keys.sign(PAYLOAD, typ=TYP), json.loads(Client().get("/.well-known/jwks.json").content)
    name = jwt.get_unverified_header(jws)["kid"]
    key = next(jwt.PyJWK(jwk) for jwk in published["keys"] if jwk["kid"] == name)
    assert json.loads(jwt.PyJWS().decode(jws, key, algorithms=["EdDSA"])) == PAYLOAD
    assert keys.verify(jws, published, typ=TYP) == PAYLOAD


def test_the_name_of_a_key_is_its_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert keys._jwk(keys._public(x))["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_payload_is_canonical_json() -> None:
    payload = keys.sign({"b": 1, "a": [1.0, "é"]}, typ=TYP).split(".")[1]
    assert base64.urlsafe_b64decode(payload + "==") == '{"a":[1,"é"],"b":1}'.encode()


@given(st.integers(0, 10_000), st.sampled_from("ABCxyz019-_.=+/ é"))
def test_no_changed_letter_passes(place: int, letter: str) -> None:
    jws = keys.sign(PAYLOAD, typ=TYP)
    place %= len(jws)
    changed = jws[:place] + letter + jws[place + 1 :]
    if changed != jws:
        with pytest.raises(Refusal):
            keys.verify(changed, typ=TYP)


def test_another_spelling_of_the_same_signature_does_not_pass() -> None:
    """The last letter of 64 bytes in Base64 carries four idle bits: a lax reader takes 16 texts for one."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    jws = keys.sign(PAYLOAD, typ=TYP)
    same = alphabet.index(jws[-1]) // 16 * 16
    for other in {alphabet[same + idle] for idle in range(16)} - {jws[-1]}:
        _refused(jws[:-1] + other)
    _refused(jws + "==")


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"}, {"alg": "None"}, {"alg": "HS256"}, {"alg": "Ed25519"}, {"alg": ["EdDSA"]}, {"typ": "JWT"}, {"typ": None},
        {"typ": TYP.upper()}, {"crit": ["exp"]}, {"b64": False}, {"jwk": {}}, {"jku": "https://example.org/keys"},
    ],
)  # fmt: skip
def test_a_header_that_says_anything_else_is_refused(changes: dict[str, Any]) -> None:
    _refused(_jws(_header(**changes), b"{}"))


def test_none_and_a_shared_secret_open_nothing() -> None:
    """The two oldest tricks: no signature at all, and the public key taken for the secret of an HMAC."""
    unsigned = f"{_b64(json.dumps(_header(alg='none')).encode())}.{_b64(b'{}')}."
    _refused(unsigned)
    x = base64.urlsafe_b64decode(keys.jwks()["keys"][0]["x"] + "=")
    _refused(jwt.PyJWS().encode(b"{}", x, algorithm="HS256", headers=_header(alg="HS256")))


@pytest.mark.parametrize("missing", ["alg", "typ", "kid"])
def test_a_header_that_lacks_something_is_refused(missing: str) -> None:
    _refused(_jws({name: value for name, value in _header().items() if name != missing}, b"{}"))


@pytest.mark.parametrize(
    "payload",
    [b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a":NaN}', b"[]", b'"x"', b"", b"{", b"\xff",
     b'{"a":12345678901234567890}', b'{"a":"\\u0061"}', b"[" * 9999, b'{"a":' * 5000],
)  # fmt: skip
def test_a_payload_that_is_not_canonical_is_refused_though_it_is_signed(payload: bytes) -> None:
    assert keys.verify(_jws(_header(), b'{"a":1}'), typ=TYP) == {"a": 1}
    _refused(_jws(_header(), payload))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "a.b", "é.e.e", "W10.e30.AA", "bnVsbA.e30.AA", None, 7, b"a.b.c", "e30.e30.AA.AA", "." * 999]
)  # fmt: skip
def test_what_is_no_signature_at_all(text: Any) -> None:
    _refused(text)


def test_a_key_that_is_not_published_is_named_as_such() -> None:
    jws = keys.sign(PAYLOAD, typ=TYP)
    sets: list[Any] = [{"keys": []}, {}, {"keys": "x"}, {"keys": [None, 7, {"kid": None}]}, []]
    for known in sets:
        _refused(jws, "unknown_key", known)
    own = keys.jwks()["keys"][0]
    for wrong in ({"kty": "EC"}, {"crv": "Ed448"}):
        _refused(jws, "unknown_key", {"keys": [own | wrong]})
    for x in ("", "AA", "é", None):
        _refused(jws, "bad_signature", {"keys": [own | {"x": x}]})
    _refused(_jws(_header(kid=["a"]), b"{}"), "unknown_key")


def test_another_key_under_our_name_does_not_pass() -> None:
    _refused(_jws(_header(), b"{}", Ed25519PrivateKey.generate()))


# Where keys come from


def test_a_key_of_the_environment_signs(settings: Any) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    names = set()
    for text in (SEED, SEED.rstrip("="), _b64(bytes(range(32))), pem, pem.replace("\n", "\\n")):
        settings.SIGNING_KEY = text
        names.add(keys.current().kid)
    assert len(names) == 1


@pytest.mark.parametrize("text", ["short", "é", "-----BEGIN PRIVATE KEY-----\nx", base64.b64encode(bytes(33)).decode()])
def test_a_setting_that_is_no_key_says_so(text: str, settings: Any) -> None:
    settings.SIGNING_KEY = text
    with pytest.raises(ImproperlyConfigured, match="SIGNING_KEY"):
        keys.current()
    settings.SIGNING_KEY, settings.SIGNING_KEYS_RETIRED = SEED, [text]
    with pytest.raises(ImproperlyConfigured, match="SIGNING_KEYS_RETIRED"):
        keys.jwks()


def test_after_a_change_of_keys_old_signatures_hold_as_long_as_the_old_key_is_published(settings: Any) -> None:
    settings.SIGNING_KEY = SEED
    jws, old = keys.sign(PAYLOAD, typ=TYP), keys.jwks()["keys"][0]
    settings.SIGNING_KEY = base64.b64encode(bytes(32)).decode()
    _refused(jws, "unknown_key")
    settings.SIGNING_KEYS_RETIRED = [old["x"]]
    assert keys.verify(jws, typ=TYP) == PAYLOAD
    assert [jwk["kid"] for jwk in keys.jwks()["keys"]] == [keys.current().kid, old["kid"]]


def test_the_own_key_is_made_once_and_for_its_owner_only(settings: Any, tmp_path: Path) -> None:
    settings.SIGNING_KEY, settings.VAR_DIR = "", tmp_path / "var"
    name = keys.current().kid
    assert keys.current().kid == name
    assert [path.name for path in settings.VAR_DIR.iterdir()] == ["signing-key"]
    assert stat.S_IMODE((settings.VAR_DIR / "signing-key").stat().st_mode) == 0o600


def test_of_many_that_start_at_once_all_have_the_same_key(settings: Any, tmp_path: Path) -> None:
    start, names = threading.Barrier(8), []

    def run() -> None:
        start.wait()
        names.append(keys._key(keys._local_key(tmp_path)).kid)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 8 and len(set(names)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["signing-key"]


# Where they are published


def test_the_published_set_holds_public_halves_only_and_may_be_kept_for_an_hour() -> None:
    answer = Client().get("/.well-known/jwks.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/jwk-set+json")
    assert "max-age=3600" in answer["Cache-Control"] and "public" in answer["Cache-Control"]
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Cookie" not in answer.get("Vary", "") and not answer.cookies
    for jwk in answer.json()["keys"]:
        assert set(jwk) == {"kty", "crv", "x", "kid", "alg", "use"}


def test_who_has_it_already_is_told_so(settings: Any) -> None:
    tag = Client().get("/.well-known/jwks.json")["ETag"]
    assert Client().get("/.well-known/jwks.json", headers={"If-None-Match": tag}).status_code == 304
    settings.SIGNING_KEY = SEED
    assert Client().get("/.well-known/jwks.json", headers={"If-None-Match": tag}).status_code == 200
    assert Client().post("/.well-known/jwks.json").status_code == 405
