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

MOST_PATHS: Final = 1_000
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
    widest = sorted({rule.path: rule for layer in layers for rule in layer.rules}.values(), key=_width)
    paths = sorted({rule.path for rule in widest[:MOST_PATHS]}, key=lambda path: (-len(path), path))
    kept = frozenset(paths)
    relations = {path: _relations(path, paths) for path in paths}
    statements = []
    for path in paths:
        reserved: set[str] = set()
        allowed: set[str] = set()
        for layer in layers:
            no, yes = _speaking(layer, path, relations[path], kept)
            reserved |= no
            allowed |= yes
        no_, yes_ = said(reserved, allowed)
        statements.append(Statement(path, no_, yes_, policy if no_ else ""))
    return _without_repetition(statements, relations), len(widest) - len(paths)


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


def _relations(path: str, others: Sequence[str]) -> dict[str, int]:
    """How a path lies to the others: INSIDE them, CROSSING them, or (left out) APART."""
    plain = "*" not in path and not path.endswith("$")
    found = {}
    for other in others:
        if plain and "*" not in other and not other.endswith("$"):
            if path.startswith(other):
                found[other] = INSIDE
            elif other.startswith(path):
                found[other] = CROSSING
        elif within(path, other):
            found[other] = INSIDE
        elif overlap(path, other):
            found[other] = CROSSING
    return found


def _speaking(
    layer: Layer, path: str, relations: dict[str, int], kept: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """What a layer says at a path: by the longest rule that covers all of it, and by longer ones that cover some of it."""
    length = len(path)
    around = [
        (len(rule.path), relations[rule.path], rule)
        for rule in layer.rules
        if len(rule.path) <= length and rule.path in relations and rule.path in kept
    ]
    longest = max((size for size, relation, _rule in around if relation == INSIDE), default=-1)
    speaking = [
        rule
        for size, relation, rule in around
        if (relation == INSIDE and size == longest) or (relation == CROSSING and size >= longest)
    ]
    if not speaking:
        return frozenset(), frozenset()
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
