"""Which reader reads what: the documents of a site, and files that people hand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from licensing.signals import content_usage, markup, readers, robots, rsl, tdmrep
from licensing.signals.core import Signal


def of_robots(raw: bytes) -> Signal:
    """Crawlers that are turned away, Content-Usage and Content-Signal lines: together one signal."""
    return robots.read(raw)


def of_headers(headers: Mapping[str, str]) -> Iterator[Signal]:
    """What the headers (names in lower case) of an answer say."""
    if value := headers.get("content-usage"):
        yield content_usage.read(value.encode("utf-8", "replace"))
    if value := headers.get("content-signal"):
        yield content_usage.read_signal(value.encode("utf-8", "replace"))
    reserved = tdmrep.read_headers(headers)
    if reserved is not None:
        yield reserved


def of_page(raw: bytes) -> Iterator[Signal]:
    reserved = markup.read(raw)
    if reserved is not None:
        yield reserved


def inline_licences(raw: bytes) -> list[bytes]:
    """Licence documents that stand within a page."""
    return rsl.inline(raw)


def of_rsl(raw: bytes, host: str) -> Signal:
    return rsl.read(raw, host=host)


def of_tdmrep(raw: bytes) -> Signal:
    return tdmrep.read(raw)


def licences_in_robots(raw: bytes) -> list[str]:
    return robots.licences(raw)


def licences_in_headers(headers: Mapping[str, str]) -> list[str]:
    return rsl.links_in_header(headers.get("link", ""))


def licences_in_page(raw: bytes) -> list[str]:
    return rsl.links_in_page(raw)


def of_file(name: str, raw: bytes) -> Signal | None:
    """A file that somebody hands in, by what it is; none, where no reader knows it, or where it says nothing."""
    read = readers.sniff(name, "", raw)
    return read(raw) if read else None


def problems_of(source: str, raw: bytes, host: str) -> tuple[str, ...] | None:
    """What was not understood of a signal of a site, in the language spoken now; None for what comes out of other files."""
    if source == rsl.SOURCE:
        return rsl.read(raw, host=host).problems
    if source not in OF_SITES:
        return None
    signal = readers.READERS[source](raw)
    return signal.problems if signal else ()


OF_SITES = (
    robots.SOURCE,
    content_usage.SOURCE,
    content_usage.SIGNAL_SOURCE,
    tdmrep.SOURCE,
    tdmrep.HEADER_SOURCE,
    markup.SOURCE,
)
