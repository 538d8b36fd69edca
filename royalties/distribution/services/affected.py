"""Posted pools that rest on shares, works or matches of before, with the reason: see `affected.sql`. Nothing is divided anew unasked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy

import royalties.distribution
from royalties.distribution.services.leftovers import WAITING

_AFFECTED: Final = WAITING + Path(royalties.distribution.__file__).with_name("affected.sql").read_text(encoding="utf-8")
DECLARATIONS, SHARES, WORKS, MATCH = "declarations", "shares", "works", "match"
_REASONS: Final[dict[str, Any]] = {
    DECLARATIONS: gettext_lazy("a declaration was amended or joined by another"),
    SHARES: gettext_lazy("shares of its works are others now on the days of use"),
    WORKS: gettext_lazy("works turned out to be one, or to be two"),
    MATCH: gettext_lazy("an identifier does not mean the work that was paid"),
}


def in_words(reasons: Iterable[str]) -> list[str]:
    """Why a pool is divided anew, in the reader's language."""
    return [str(_REASONS[reason]) for reason in reasons if reason in _REASONS]


def affected(society_id: int, currency: str, *, run_id: int = 0) -> dict[int, list[str]]:
    """Pool → why it would be divided otherwise today: `shares`, `works`, `match`. What `run_id` divides anew counts as before."""
    with connection.cursor() as cursor:
        cursor.execute(_AFFECTED, [society_id, currency, run_id, []])
        found: dict[int, list[str]] = {}
        for pool, reason in sorted(cursor.fetchall()):
            found.setdefault(pool, []).append(reason)
    return found
