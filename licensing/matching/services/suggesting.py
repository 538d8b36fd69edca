"""Works that a value may mean, the likeliest first, with reasons that a person understands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple


class Candidate(NamedTuple):
    """A work that a line may mean: how sure that is (0 to 1), and why."""

    work_id: int
    score: Decimal
    why: tuple[str, ...]


def candidates(society_id: int, asked: Sequence[tuple[str, str, str, str]], limit: int = 5) -> list[list[Candidate]]:
    """For each (scheme, value, title, creators), in order, the works that it may mean: at most `limit`, the best first."""
    return [[] for _one in asked]
