"""Turns the shipped facts into import files: a web publishers' society and a literary society, by fixed rules.

Every choice depends on a digest of the name alone, so the same data give the same files on any day and machine.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from publicsuffixlist import PublicSuffixList

from licensing.intake.core import Limits
from licensing.intake.formats import renewals

DATA = Path(__file__).with_name("data")
MEMBERS_PERCENT = 72  # domains whose publisher is a member; the others' money waits in suspense
NO_MANDATE_PERCENT = 7  # members that gave no mandate
SHARED_PERCENT = 6  # domains held by two members
PARTLY_RECORDED_PERCENT = 2  # domains of which only three quarters are recorded
OVERCLAIMED_PER_MILLE = 4  # domains of which two members claim more than the whole


def chance(topic: str, name: str, of: int = 100) -> int:
    """A number from 0 to `of` - 1 that depends on topic and name only."""
    return int.from_bytes(hashlib.sha256(f"{topic}:{name}".encode()).digest()[:8]) % of


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def declared_domains() -> list[tuple[str, int]]:
    """(domain, tokens) as the data file has them."""
    with (DATA / "web-domains-c4.csv").open(encoding="utf-8", newline="") as source:
        return [(row["domain"], int(row["tokens"])) for row in csv.DictReader(source)]


def write_declaration(folder: Path) -> Path:
    """The AI firm's declaration: every row of the C4 data, zeros and names that are no domains included."""
    rows = (("domain", domain, tokens, "token", "train") for domain, tokens in declared_domains())
    return write_csv(folder / "declaration.csv", ("identifier_type", "identifier", "units", "unit", "use"), rows)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


def registered_domains() -> list[str]:
    """What members registered: a site seen under several hosts once, by its common domain; other hosts as they are."""
    suffixes = _suffixes()
    site_of = {host: suffixes.privatesuffix(host) for host, _ in declared_domains() if "." in host}
    hosts = Counter(site for site in site_of.values() if site)
    names = {site if hosts[site] > 1 else host for host, site in site_of.items() if site}
    return sorted(name for name in names if chance("member", name) < MEMBERS_PERCENT)


def web_shares(domains: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """(work_ref, holder_ref, role, share): mostly one publisher; some two, some partly recorded, a few over-claimed."""
    shares = []
    for place, domain in enumerate(domains):
        work, own, other = f"W{place:05}", f"P{place:05}", f"P{(place + 1) % len(domains):05}"
        if chance("overclaimed", domain, 1000) < OVERCLAIMED_PER_MILLE:
            parts = [(own, "60%"), (other, "60%")]
        elif chance("shared", domain) < SHARED_PERCENT:
            parts = [(own, "2/3"), (other, "1/3")]
        elif chance("partly", domain) < PARTLY_RECORDED_PERCENT:
            parts = [(own, "75%")]
        else:
            parts = [(own, "100%")]
        shares += [(work, holder, "publisher", share) for holder, share in parts]
    return shares


def write_web_society(folder: Path) -> dict[str, Path]:
    """The four import files of the web publishers' society."""
    domains = registered_domains()
    return {
        "holders": write_csv(
            folder / "web-holders.csv",
            ("holder_ref", "name", "name_ko", "kind", "country"),
            ((f"P{n:05}", f"Publisher of {d}", f"{d} 발행인", "organisation", "") for n, d in enumerate(domains)),
        ),
        "works": write_csv(
            folder / "web-works.csv",
            ("work_ref", "kind", "title", "identifiers"),
            ((f"W{n:05}", "web", d, f"domain:{d}") for n, d in enumerate(domains)),
        ),
        "shares": write_csv(
            folder / "web-shares.csv", ("work_ref", "holder_ref", "role", "share"), web_shares(domains)
        ),
        "mandates": write_csv(
            folder / "web-mandates.csv",
            ("holder_ref", "uses", "kinds", "territory", "valid_from"),
            (
                (f"P{n:05}", "train;ground", "web", "*", "2026-01-01")
                for n, d in enumerate(domains)
                if chance("mandate", d) >= NO_MANDATE_PERCENT
            ),
        ),
    }


def write_literary_society(folder: Path) -> dict[str, Path]:
    """The four import files of the literary society: renewed books with their real claimants, in equal parts."""
    entries = renewals.read(DATA / "cce-renewals-1951-1A.tsv", Limits())
    books = {entry.number: entry for entry in entries if entry.problem is None}
    names = sorted({name for entry in books.values() for name, _ in entry.claimants})
    ref_of = {name: f"C{place:05}" for place, name in enumerate(names)}
    firms = {n for entry in books.values() for n, role in entry.claimants if role in renewals.WORKS_MADE_FOR_HIRE}
    works, shares = [], []
    for number, entry in sorted(books.items()):
        works.append(
            (number, "book", entry.title, entry.author, "en", entry.published, entry.free_from, f"usco:{number}")
        )
        parts = entry.claimants
        shares += [(number, ref_of[name], role, f"1/{len(parts)}") for name, role in parts]
    return {
        "holders": write_csv(
            folder / "literary-holders.csv",
            ("holder_ref", "name", "kind", "country"),
            ((ref, name, "organisation" if name in firms else "person", "US") for name, ref in ref_of.items()),
        ),
        "works": write_csv(
            folder / "literary-works.csv",
            ("work_ref", "kind", "title", "creators", "language", "published", "protected_until", "identifiers"),
            works,
        ),
        "shares": write_csv(folder / "literary-shares.csv", ("work_ref", "holder_ref", "role", "share"), shares),
        "mandates": write_csv(
            folder / "literary-mandates.csv",
            ("holder_ref", "uses", "kinds", "territory", "valid_from"),
            ((ref, "train;ground;index", "book;text", "*", "2026-01-01") for ref in ref_of.values()),
        ),
    }
