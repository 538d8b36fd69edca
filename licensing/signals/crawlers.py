"""The AI crawlers that are known by name, and what each of them fetches pages for."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from licensing.signals.vocabulary import GROUNDING, INDEXING, TRAINING

DATA: Final = Path(__file__).with_name("crawlers.json")
# Who answers from a search index of its own needs the page for both.
USES_OF_FUNCTION: Final = {"training": TRAINING, "fetching": GROUNDING, "search": INDEXING | GROUNDING}


@dataclass(frozen=True, slots=True)
class Crawler:
    """A crawler by the name that it gives robots.txt. `serves_others`: ordinary search or link previews need it too."""

    name: str
    operator: str
    uses: frozenset[str]
    respects: str  # whether it follows robots.txt: yes, no, or "" where nobody knows
    serves_others: bool = False


@functools.cache
def crawlers() -> tuple[Crawler, ...]:
    """All of the list that is pinned with this slice, in its order."""
    return tuple(
        Crawler(
            name=each["name"],
            operator=each["operator"],
            uses=frozenset().union(*(USES_OF_FUNCTION[function] for function in each["functions"])),
            respects=each["respects"],
            serves_others=each.get("serves_others", False),
        )
        for each in json.loads(DATA.read_text(encoding="utf-8"))["crawlers"]
    )
