"""Several sets of rules that add up, made into one list of which the first that covers a path speaks.

In each set (a layer) the rule with the longest path speaks. Without `*` and `$` the list says exactly the same. Where two
patterns cross and neither lies within the other, a place in the list may have to speak for paths of both: it then
reserves what any rule that may speak there reserves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from licensing.signals.core import Statement, overlap, said, within

MOST_PLAIN: Final = 1_000  # paths without * and $
MOST_WILD: Final = 200  # each of them is compared with all
MOST_RULES: Final = 10_000

APART, CROSSING, INSIDE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Rule:
    """What is said at the paths that a pattern covers."""

    path: str
    reserved: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Layer:
    """Rules of which the longest speaks; those of equal length add up."""

    rules: tuple[Rule, ...]


def compiled(layers: Sequence[Layer], *, policy: str = "") -> tuple[list[Statement], int]:
    """The statements that the layers make together, and how many paths were left out because there are too many."""
    layers = _merged(layers)
    paths, left_out = _paths(layers)
    relations = _all_relations(paths)
    at_path: dict[str, list[tuple[int, Rule]]] = {}
    for number, layer in enumerate(layers):
        for rule in layer.rules:
            at_path.setdefault(rule.path, []).append((number, rule))
    statements = []
    for path in paths:
        reserved: set[str] = set()
        allowed: set[str] = set()
        for around in _around(path, relations[path], at_path).values():
            no, yes = _speaking(around)
            reserved |= no
            allowed |= yes
        no, yes = said(reserved, allowed)
        statements.append(Statement(path, no, yes, policy if no else ""))
    return _without_repetition(statements, relations), left_out


def _paths(layers: Sequence[Layer]) -> tuple[list[str], int]:
    """Every path once, the longest first; as many as are compared, and how many more there are."""
    widest: dict[str, None] = {}
    for rule in sorted((rule for layer in layers for rule in layer.rules), key=_width):
        widest.setdefault(rule.path, None)
    plain = [path for path in widest if not _is_wild(path)]
    wild = [path for path in widest if _is_wild(path)]
    kept = plain[:MOST_PLAIN] + wild[:MOST_WILD]
    return sorted(kept, key=lambda path: (-len(path), path)), len(widest) - len(kept)


def _is_wild(path: str) -> bool:
    return "*" in path or path.endswith("$")


def _width(rule: Rule) -> tuple[bool, int, str]:
    """Prohibitions before exceptions, wide before narrow: what is left out is then rather reserved."""
    return not rule.reserved, len(rule.path), rule.path


def _merged(layers: Sequence[Layer]) -> list[Layer]:
    """Layers with the same paths say the same with more uses: the usual case, one group after another with `/`."""
    by_shape: dict[tuple[tuple[str, bool], ...], dict[str, Rule]] = {}
    for layer in layers:
        rules: dict[str, Rule] = {}
        for rule in layer.rules:
            other = rules.get(rule.path, rule)
            rules[rule.path] = Rule(rule.path, other.reserved | rule.reserved, other.allowed | rule.allowed)
        shape = tuple(sorted((path, bool(rule.reserved)) for path, rule in rules.items()))
        found = by_shape.setdefault(shape, {})
        for path, rule in rules.items():
            other = found.get(path, rule)
            found[path] = Rule(path, other.reserved | rule.reserved, other.allowed | rule.allowed)
    merged, count = [], 0
    for found in by_shape.values():
        rules_ = sorted(found.values(), key=_width)[: MOST_RULES - count]
        count += len(rules_)
        merged.append(Layer(tuple(rules_)))
    return merged


def _all_relations(paths: Sequence[str]) -> dict[str, dict[str, int]]:
    """How each path lies to those that are not longer: INSIDE them or CROSSING them; others are left out."""
    wild = [path for path in paths if _is_wild(path)]
    plain = [path for path in paths if not _is_wild(path)]
    lengths = {len(path) for path in plain}
    known = frozenset(plain)
    found: dict[str, dict[str, int]] = {}
    for path in paths:
        near: dict[str, int] = {}
        if _is_wild(path):
            near.update(_relations(path, plain))
        else:
            near.update((path[:size], INSIDE) for size in lengths if size <= len(path) and path[:size] in known)
        near.update(_relations(path, wild))
        found[path] = near
    return found


def _relations(path: str, others: Sequence[str]) -> dict[str, int]:
    found = {}
    start = _start(path)
    for other in others:
        begins = _start(other)
        if len(other) > len(path) or not (start.startswith(begins) or begins.startswith(start)):
            continue
        if within(path, other):
            found[other] = INSIDE
        elif overlap(path, other):
            found[other] = CROSSING
    return found


def _start(path: str) -> str:
    return path.removesuffix("$").partition("*")[0]


def _around(
    path: str, relations: dict[str, int], at_path: dict[str, list[tuple[int, Rule]]]
) -> dict[int, list[tuple[int, int, Rule]]]:
    """By layer, the rules that may speak somewhere at a path: their lengths, how the path lies to them."""
    found: dict[int, list[tuple[int, int, Rule]]] = {}
    for other, relation in relations.items():
        for layer, rule in at_path.get(other, ()):
            found.setdefault(layer, []).append((len(other), relation, rule))
    return found


def _speaking(around: Sequence[tuple[int, int, Rule]]) -> tuple[frozenset[str], frozenset[str]]:
    """What one layer says at a path: by the longest rule that covers all of it, and by longer ones that cover some."""
    longest = max((size for size, relation, _rule in around if relation == INSIDE), default=-1)
    speaking = [
        rule
        for size, relation, rule in around
        if (relation == INSIDE and size == longest) or (relation == CROSSING and size >= longest)
    ]
    reserved = frozenset().union(*(rule.reserved for rule in speaking))
    allowed = frozenset.intersection(*(rule.allowed for rule in speaking)) if longest >= 0 else frozenset[str]()
    return reserved, allowed


def _without_repetition(statements: Sequence[Statement], relations: dict[str, dict[str, int]]) -> list[Statement]:
    """Leave out a statement where those after it say the same of all its paths."""
    kept: list[Statement] = []  # from the last to the first
    for each in reversed(statements):
        said_after = []
        covered = False
        for later in reversed(kept):
            relation = relations[each.location].get(later.location, APART)
            if relation == APART:
                continue
            said_after.append((later.reserved, later.allowed))
            if relation == INSIDE:
                covered = True
                break
        if not covered:
            said_after.append((frozenset(), frozenset()))
        if any(after != (each.reserved, each.allowed) for after in said_after):
            kept.append(each)
    return kept[::-1]
