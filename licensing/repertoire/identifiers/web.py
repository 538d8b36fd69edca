"""Web locations: domains, URLs, and the public suffixes under which nobody's domain lies alone."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import idna
from publicsuffixlist import PublicSuffixList

from accounts.identity.core import gettext_noop
from licensing.repertoire.identifiers.wrong import BadIdentifier

NOT_A_DOMAIN = gettext_noop("not a domain name")
ONE_LABEL = gettext_noop("a domain has at least one dot")
PUBLIC_SUFFIX = gettext_noop("a public suffix, under which many have their domains")
NOT_A_URL = gettext_noop("not a web address")

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")
_URL = re.compile(
    r"(?:(https?):)?(?://)?(?:[^/?#@]*@)?([^/?#:@\s]+)(?::(\d{1,5}))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.I | re.S
)
_DEFAULT_PORT = {"http": "80", "https": "443"}
# Parameters that tell where a visitor came from, never what the page is.
TRACKING = re.compile(
    r"(?:utm_[^=]*|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|ttclid|twclid|igshid|mc_cid|mc_eid|_ga|_gl)(?:=.*)?",
    re.I,
)


@cache
def suffixes() -> PublicSuffixList:
    """The ICANN section of the pinned snapshot."""
    return PublicSuffixList(only_icann=True)


@lru_cache(maxsize=1 << 16)
def is_public_suffix(host: str) -> bool:
    """Whether this normalised host is a public suffix (`kr`, `co.kr`) or a single label."""
    return "." not in host or suffixes().publicsuffix(host) == host


def host_name(text: str) -> str:
    """A host in lower-case punycode without a trailing dot. Raises BadIdentifier."""
    host = text.lower().removesuffix(".")
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii").removesuffix(".")
        except idna.IDNAError:
            raise BadIdentifier(NOT_A_DOMAIN) from None
    if "." not in host and re.fullmatch(_LABEL, host):
        raise BadIdentifier(ONE_LABEL)
    if not _HOST.fullmatch(host) or len(host) > 253 or host.rpartition(".")[2].isdigit():
        raise BadIdentifier(NOT_A_DOMAIN)
    return host


def domain(text: str) -> str:
    """A domain's normal form: one dot at least, and no public suffix.

    >>> domain("Www.정산.KR.")
    'www.xn--zf4b78k.kr'
    """
    host = host_name(text)
    if is_public_suffix(host):
        raise BadIdentifier(PUBLIC_SUFFIX)
    return host


def url(text: str) -> str:
    """Host and path, without scheme, user, fragment, tracking parameters or the scheme's default port.

    The path keeps its case and final slash; an empty path is `/`. What is left of the query keeps its order.

    >>> url("HTTP://Example.com:80/Ä?b=1&utm_medium=x#top")
    'example.com/Ä?b=1'
    """
    found = _URL.fullmatch(text)
    if not found or re.search(r"[\s\x00-\x1f]", text):
        raise BadIdentifier(NOT_A_URL)
    scheme, host, port, path, query = found.groups()
    if path and not path.startswith("/"):
        raise BadIdentifier(NOT_A_URL)
    where = host_name(host)
    if port and port != _DEFAULT_PORT.get((scheme or "").lower()):
        where += f":{port}"
    kept = "&".join(part for part in (query or "").split("&") if part and not TRACKING.fullmatch(part))
    return f"{where}{path or '/'}" + (f"?{kept}" if kept else "")
