"""What a host says now: its proof, and the documents in which signals stand. Keeps nothing and changes nothing."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from accounts.identity import outbound
from accounts.identity.core import Refusal
from licensing.permissions.services import reading_signals as signals
from licensing.signals.core import Signal

PROOF_FILE: Final = "/.well-known/jeongsan-proof.txt"
PROOF_META: Final = "jeongsan-proof"
ROBOTS, TDMREP, FIRST_PAGE = "/robots.txt", "/.well-known/tdmrep.json", "/"
PROOF_BYTES, FILE_BYTES, PAGE_BYTES = 4_096, 512 * 1024, 1024 * 1024
SECONDS: Final = 15.0  # for one document
LONGEST_URL: Final = 2_000
MOST_DOCUMENTS: Final = 5  # licence documents that a site points to
GONE: Final = (404, 410)
TRANSIENT: Final = frozenset({
    "unreachable", "too_slow", "server_error", "refused", "elsewhere", "too_large", "refused_address", "too_many_redirects",
})  # fmt: skip
# Besides the site itself, where its licence documents may lie: the server that RSL's own documentation names.
RSL_SERVERS: Final = frozenset({"rslcollective.org"})


@dataclass(frozen=True, slots=True)
class Found:
    """A signal, and the address at which it was found."""

    url: str
    signal: Signal


@dataclass(slots=True)
class Reading:
    """What one reading of a host found, and what it could not find out."""

    proof: str = ""  # file | meta: where the token was found
    found: list[Found] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)  # {url, code, detail}
    looked_at: set[str] = field(default_factory=set)  # whether there was something or not
    failed: bool = False  # one of the site's own documents could not be read

    def tells_of(self, url: str) -> bool:
        """Whether it can be said that what was once at this address is there no more."""
        return url in self.looked_at or (not self.failed and not any(p["url"] == url for p in self.problems))


def read_host(host: str, *, token: str = "") -> Reading:
    """Read the few documents of a host in which signals stand, over https, or http where there is no https.

    With a token, its proof is looked for too. Never raises for what the other side does.
    """
    reader = _Reader(host, token)
    reader.read()
    return reader.reading


class _Reader:
    """One reading of one host."""

    def __init__(self, host: str, token: str) -> None:
        self.host, self.token, self.scheme = host, token, "https"
        self.reading = Reading()
        self.pointed_to: dict[str, None] = {}  # licence documents, in the order in which they were met

    def read(self) -> None:
        robots = self._get(ROBOTS, FILE_BYTES, cut=True)
        if robots is None and self._may_be_plain():
            robots = self._get(ROBOTS, FILE_BYTES, cut=True)
        if robots is not None:
            self._take(ROBOTS, [signals.of_robots(robots.body)])
            self._point(ROBOTS, signals.licences_in_robots(robots.body))
        terms = self._get(TDMREP, FILE_BYTES)
        if terms is not None and not terms.body.lstrip().startswith(b"<"):  # a page in place of a 404
            self._take(TDMREP, [signals.of_tdmrep(terms.body)])
        page = self._get(FIRST_PAGE, PAGE_BYTES, cut=True)
        if page is not None:
            self._take(FIRST_PAGE, signals.of_headers(page.headers))
            self._take(FIRST_PAGE, signals.of_page(page.body))
            self._point(FIRST_PAGE, signals.licences_in_headers(page.headers))
            self._point(FIRST_PAGE, signals.licences_in_page(page.body))
            for number, licence in enumerate(signals.inline_licences(page.body)[:MOST_DOCUMENTS], start=1):
                self._take(f"{FIRST_PAGE}#licence-{number}", [signals.of_rsl(licence, self.host)])
        for url in self.pointed_to:
            self._licence(url)
        if self.token:
            self._prove(page)

    # --- Proof

    def _prove(self, page: outbound.Response | None) -> None:
        file = self._get(PROOF_FILE, PROOF_BYTES, cut=True, vital=False)
        lines = file.body.decode("utf-8", "replace").split() if file else []
        if any(_equal(line, self.token) for line in lines):
            self.reading.proof = "file"
        elif page is not None and any(_equal(text, self.token) for text in proofs_in(page.body)):
            self.reading.proof = "meta"
        elif file and not file.body.lstrip().startswith(b"<"):
            self._problem(self.address(PROOF_FILE), "bad_proof")

    # --- Licence documents

    def _point(self, where: str, urls: Iterable[str]) -> None:
        for url in urls:
            try:
                self.pointed_to.setdefault(urljoin(self.address(where), url.strip()))
            except ValueError:
                self._problem(url[:LONGEST_URL], "bad_address")

    def _licence(self, url: str) -> None:
        """Read a licence document from the site itself or the documented server; of others, say that they are not read."""
        server = (urlsplit(url).hostname or "").lower()
        if len(url) > LONGEST_URL:
            self._problem(url[:LONGEST_URL], "bad_address")
        elif server == urlsplit(settings.SITE_URL).hostname:
            return  # it says what is on record here already; to read it back would keep it in force for ever
        elif server not in {*self._own(), *RSL_SERVERS}:
            self._problem(url, "other_server")
        elif sum(found.signal.source == "rsl" for found in self.reading.found) >= MOST_DOCUMENTS:
            self._problem(url, "too_many")
        else:
            answer = self._get(url, FILE_BYTES, vital=False)
            if answer is not None:
                self._take(url, [signals.of_rsl(answer.body, self.host)])

    # --- Fetching

    def address(self, where: str) -> str:
        """The public address of a path of the host."""
        return urljoin(f"{self.scheme}://{self.host}/", where)

    def _get(self, where: str, limit: int, *, cut: bool = False, vital: bool = True) -> outbound.Response | None:
        """The document there; None where there is none, or where it could not be read, which is a problem then."""
        url = self.address(where)
        try:
            answer = outbound.fetch(self._true_address(url), limit=limit, timeout=SECONDS, cut=cut)
        except Refusal as refusal:
            code = refusal.code
        else:
            code = self._fault(answer, url)
            if not code:
                self.reading.looked_at.add(url)
                return answer if answer.status not in GONE else None
        self._problem(url, code)
        self.reading.failed |= vital
        return None

    def _fault(self, answer: outbound.Response, asked: str) -> str:
        """Why an answer tells nothing of the document; empty where it does."""
        came_from = {urlsplit(answer.url).hostname, urlsplit(answer.url).netloc}
        if not came_from & {*self._own(), urlsplit(asked).hostname, urlsplit(self._true_address(asked)).netloc}:
            return "elsewhere"
        if answer.status < 300 or answer.status in GONE:
            return ""
        return "server_error" if answer.status >= 500 else "refused"

    def _own(self) -> set[str]:
        """The host itself, with and without `www`."""
        return {self.host, f"www.{self.host}", self.host.removeprefix("www.")}

    def _true_address(self, url: str) -> str:
        """Tests and development may have a host somewhere else than under its name."""
        origin = settings.SITE_ORIGINS.get(urlsplit(url).hostname or "")
        return f"{origin.rstrip('/')}/{url.partition('//')[2].partition('/')[2]}" if origin else url

    def _may_be_plain(self) -> bool:
        """Where https cannot be reached at all, the host is read over http."""
        if self.scheme == "https" and [problem["code"] for problem in self.reading.problems] == ["unreachable"]:
            self.scheme, self.reading = "http", Reading()
            return True
        return False

    def _problem(self, url: str, code: str) -> None:
        self.reading.problems.append({"url": url, "code": code, "detail": ""})

    def _take(self, where: str, read: Iterable[Signal]) -> None:
        self.reading.found.extend(Found(self.address(where), signal) for signal in read)


def proofs_in(page: bytes) -> list[str]:
    """The contents of `<meta name="jeongsan-proof">` in the head of a page; what stands in its body may be anybody's."""
    parser = _Proofs()
    parser.feed(page.decode("utf-8", "replace"))
    return parser.found


class _Proofs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.in_body |= tag not in _OF_A_HEAD
        if tag == "meta" and not self.in_body and (given.get("name") or "").strip().lower() == PROOF_META:
            self.found.append((given.get("content") or "").strip())


_OF_A_HEAD: Final = frozenset(
    {"html", "head", "meta", "title", "link", "style", "script", "base", "noscript", "template"}
)


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
