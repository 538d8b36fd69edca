"""robots.txt (RFC 9309): which AI crawlers are turned away where, and the preferences that stand in it.

A crawler that may not fetch a path says what it would have fetched it for: those uses are reserved there. `User-agent: *`
speaks to every crawler without a group of its own, to unknown ones too, so what it disallows is reserved altogether.
Besides, every `Content-Usage` and `Content-Signal` line counts, whichever crawler its group is for. Of the rules of one
group the longest speaks; the groups add up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from accounts.identity.core import say
from licensing.signals import content_usage
from licensing.signals import vocabulary as words_of
from licensing.signals.core import (
    EVERYTHING,
    EVERYWHERE,
    MOST_BYTES,
    Signal,
    Statement,
    for_longest,
    normal_path,
)
from licensing.signals.crawlers import Crawler, crawlers
from licensing.signals.hardened import text_of
from licensing.signals.layers import Layer, Rule, compiled

SOURCE: Final = "robots"
MOST_PATH: Final = 2_048
MOST_STARS: Final = 20  # in one path
MOST_LICENCES: Final = 20
ANYBODY: Final = "*"
NOBODY: Final = ""  # lines that stand before any group
_AGENT: Final = frozenset({"user-agent", "useragent", "user agent"})
_DISALLOW: Final = frozenset({"disallow", "dissallow", "disalow"})
_ALLOW: Final = frozenset({"allow"})
_USAGE: Final = "content-usage"
_SIGNAL: Final = "content-signal"
_LICENCE: Final = frozenset({"license", "licence"})
_RULES: Final = _DISALLOW | _ALLOW | _LICENCE | {_USAGE, _SIGNAL, "crawl-delay"}


@dataclass(slots=True)
class _Group:
    """All that is said to one user agent, wherever it stands in the file."""

    access: list[tuple[str, bool]] = field(default_factory=list)  # path, may fetch
    preferences: list[Rule] = field(default_factory=list)
    signals: list[Rule] = field(default_factory=list)


@dataclass(slots=True)
class _File:
    groups: dict[str, _Group] = field(default_factory=dict)
    licences: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read(raw: bytes) -> Signal:
    """What a robots.txt reserves, all of it in one. Of a longer file only the first 500 KiB are read.

    >>> signal = read(b"User-agent: GPTBot\\nDisallow: /books/\\n")
    >>> sorted(signal.speaks("/books/1").reserved), signal.speaks("/")
    (['finetune', 'train'], None)
    """
    file, kept = _parsed(raw)
    groups = file.groups.values()
    layers = [*_access_layers(file), *_usage_layers(groups), *_signal_layers(groups)]
    return _signal(SOURCE, words_of.ROBOTS, layers, file, kept)


def read_all(raw: bytes) -> Iterator[Signal]:
    """The same, a signal a vocabulary: the crawlers that are turned away; where there are any, the preferences."""
    file, kept = _parsed(raw)
    groups = file.groups.values()
    yield _signal(SOURCE, words_of.ROBOTS, _access_layers(file), file, kept)
    if usages := _usage_layers(groups):
        yield _signal(content_usage.SOURCE, words_of.AIPREF, usages, file, kept)
    if signals := _signal_layers(groups):
        yield _signal(content_usage.SIGNAL_SOURCE, words_of.CONTENT_SIGNALS, signals, file, kept)


def _signal(source: str, vocabulary: str, layers: Sequence[Layer], file: _File, kept: bytes) -> Signal:
    statements, left_out = compiled(layers, policy=file.licences[0] if file.licences else "")
    problems = list(file.problems)
    if left_out:
        problems.append(
            say("There are too many paths. {count} were left out: exceptions first, then the longest.", count=left_out)
        )
    return Signal(source, vocabulary, tuple(statements), kept, problems=tuple(problems))


def licences(raw: bytes) -> list[str]:
    """The addresses of RSL documents that `License:` lines name."""
    return _parsed(raw)[0].licences[:MOST_LICENCES]


def _parsed(raw: bytes) -> tuple[_File, bytes]:
    """The file, and the part of it that was read."""
    file = _File()
    kept = raw[: MOST_BYTES[SOURCE]]
    if len(raw) > len(kept):
        kept = kept[: max(kept.rfind(b"\n"), kept.rfind(b"\r")) + 1]
        file.problems.append(say("Only the first {most} bytes were read.", most=MOST_BYTES[SOURCE]))
    text, problems = text_of(kept)
    file.problems.extend(problems)
    agents, ended = [NOBODY], True
    for line in re.split(r"\r\n|\r|\n", text):
        name, colon, value = line.partition("#")[0].partition(":")
        name, value = name.strip(" \t").lower(), value.strip(" \t")
        if not colon or name not in _AGENT | _RULES:
            continue
        if name in _AGENT:
            agents = [] if ended else agents
            agents.append(_token(value))
            file.groups.setdefault(agents[-1], _Group())
            ended = False
            continue
        ended = True
        _rule(file, [file.groups.setdefault(agent, _Group()) for agent in dict.fromkeys(agents)], name, value)
    return file, kept


def _token(value: str) -> str:
    """The product token of a user agent; a `*` at its end says nothing."""
    token = value.lower()
    return token if token == ANYBODY else token.replace("*", "").strip() or NOBODY


def _rule(file: _File, groups: Sequence[_Group], name: str, value: str) -> None:
    if name in _LICENCE:
        if value and value not in file.licences:
            file.licences.append(value)
        return
    if name in (_USAGE, _SIGNAL):
        path, preferences = _preferences(name, value)
        file.problems.extend(preferences.problems)
        short = _short(path)
        if short != path:
            file.problems.append(_cut())
        rule = Rule(short, preferences.reserved, preferences.allowed if short == path else frozenset())
        for group in groups:
            if short == path or rule.reserved:
                (group.preferences if name == _USAGE else group.signals).append(rule)
        return
    if not value or name == "crawl-delay":
        return
    path, may = _path(value), name in _ALLOW
    short = _short(path)
    if short != path:
        file.problems.append(_cut())
    for group in groups:
        if short == path or not may:
            group.access.append((short, may))


def _short(path: str) -> str:
    """A path of which only so much is compared: a shorter pattern covers more, so it may prohibit but not permit."""
    pieces = path[:MOST_PATH].split("*")
    return "*".join(pieces[: MOST_STARS + 1])


def _cut() -> str:
    return say("A path is too long or has too many “*”; it was cut, and where it permits left out.")


def _preferences(name: str, value: str) -> tuple[str, content_usage.Preferences]:
    """A line's path, everywhere if it has none, and what it prefers there."""
    path = EVERYWHERE
    if value.startswith(("/", "*")):
        path, *rest = re.split(r"[ \t]+", value, maxsplit=1)
        value = rest[0] if rest else ""
    read_value = content_usage.preferences if name == _USAGE else content_usage.signals
    return _path(path), read_value(value.encode("utf-8", "surrogateescape"))


def _path(value: str) -> str:
    return normal_path(value if value.startswith(("/", "*")) else f"/{value}")


def _access_layers(file: _File) -> list[Layer]:
    """What each group that a known crawler follows says of fetching."""
    uses: dict[str, frozenset[str]] = {ANYBODY: EVERYTHING}
    for crawler in crawlers():
        group = _group_of(crawler.name, file.groups)
        if group:
            uses[group] = uses.get(group, frozenset()) | crawler.uses
    layers = [_access(file.groups[group], reserved, group) for group, reserved in uses.items() if group in file.groups]
    return [layer for layer in layers if layer.rules]


def _usage_layers(groups: Iterable[_Group]) -> list[Layer]:
    return [Layer(tuple(each.preferences)) for each in groups if each.preferences]


def _signal_layers(groups: Iterable[_Group]) -> list[Layer]:
    return [Layer(tuple(each.signals)) for each in groups if each.signals]


def _group_of(crawler: str, groups: Collection[str]) -> str:
    """The group that a crawler follows: the longest token that stands in its name where a word begins; else everybody's.

    >>> _group_of("Ai2Bot-Dolma", ["*", "ai2bot", "bot"]), _group_of("GPTBot", ["*", "bot"])
    ('ai2bot', '*')
    """
    name = crawler.lower()
    if name in groups:
        return name  # nothing that stands in a name is longer
    fitting = [token for token in groups if token not in (ANYBODY, NOBODY) and _begins_a_word(token, name)]
    return max(fitting, key=len, default=ANYBODY if ANYBODY in groups else NOBODY)


def _begins_a_word(token: str, name: str) -> bool:
    at = name.find(token)
    while at > 0 and (name[at - 1].isalnum() or name[at - 1] in "-_"):
        at = name.find(token, at + 1)
    return at >= 0


def _access(group: _Group, uses: frozenset[str], token: str) -> Layer:
    """What is disallowed is reserved. Where a group names a crawler and lets it in, its uses are allowed."""
    allowed = uses if token != ANYBODY else frozenset()
    open_paths = {path for path, may in group.access if may}  # of equal paths, RFC 9309 lets the crawler in
    rules = [
        Rule(path, frozenset(), allowed) if path in open_paths else Rule(path, uses)
        for path in dict.fromkeys(path for path, _may in group.access)
    ]
    if token != ANYBODY and not any(rule.reserved for rule in rules):
        rules.append(Rule(EVERYWHERE, frozenset(), allowed))
    return Layer(tuple(rules))


def write(reservations: Sequence[Statement], *, licence: str = "") -> str:
    """Lines to put into a robots.txt: preferences for everybody, and groups that turn AI crawlers away.

    A crawler is turned away where all that it fetches pages for is reserved. Crawlers that ordinary search or link
    previews need are left out. `licence` is the address of an RSL document.
    """
    statements = [_only_sayable(each) for each in for_longest(reservations)]
    preferences = [*_usage_lines(statements), *([f"License: {licence}"] if licence else [])]
    blocks = [[f"User-agent: {ANYBODY}", *preferences]] if preferences else []
    by_uses: dict[frozenset[str], list[str]] = {}
    for crawler in crawlers():
        if not crawler.serves_others:
            by_uses.setdefault(crawler.uses, []).append(crawler.name)
    turned_away: set[str] = set()
    for uses, names in by_uses.items():
        if rules := _access_lines(statements, uses):
            blocks.append([*(f"User-agent: {name}" for name in names), *rules, *preferences])
            turned_away.update(name.lower() for name in names)
    # A group for AI2Bot would turn away AI2Bot-DeepResearchEval too, unless that has a group of its own.
    bystanders = [each.name for each in crawlers() if _is_caught(each, turned_away)]
    if bystanders:
        blocks.append([*(f"User-agent: {name}" for name in bystanders), "Disallow:", *preferences])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n" if blocks else ""


def _is_caught(crawler: Crawler, turned_away: Collection[str]) -> bool:
    return crawler.name.lower() not in turned_away and _group_of(crawler.name, turned_away) in turned_away


def _only_sayable(statement: Statement) -> Statement:
    return words_of.normal(statement, words_of.ROBOTS)


def _usage_lines(statements: Sequence[Statement]) -> list[str]:
    """A line a place and vocabulary. What a longer path leaves open of what a shorter one reserves, it allows."""
    lines = []
    anywhere = frozenset().union(*(each.reserved for each in statements))
    for each in statements:
        stated = Statement(EVERYWHERE, each.reserved, each.allowed | (anywhere - each.reserved))
        path = "" if each.location == EVERYWHERE else f"{_one_word(each.location)} "
        for name, value in (
            ("Content-Usage", content_usage.write([stated])),
            ("Content-Signal", content_usage.write_signal([stated])),
        ):
            if value:
                lines.append(f"{name}: {path}{value}")
    return lines


def _access_lines(statements: Sequence[Statement], uses: frozenset[str]) -> list[str]:
    if not any(uses <= each.reserved for each in statements):
        return []
    return [f"{'Disallow' if uses <= each.reserved else 'Allow'}: {_one_word(each.location)}" for each in statements]


def _one_word(path: str) -> str:
    return path.replace("#", "%23")
