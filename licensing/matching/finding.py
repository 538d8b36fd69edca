"""From what the lines of a declaration say to the works that they mean: the table `found`, on the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.conf import settings

from licensing.engine.core import Engine
from licensing.matching import MATCH
from licensing.matching.services.deciding import Guess
from licensing.matching.services.suggesting import guesses

_MEMBERS: Final = Path(__file__).with_name("members.sql")
_MEAN: Final = Path(__file__).with_name("mean.sql")
_TEXT: Final = "VARCHAR"
_GUESS: Final = {"scheme": _TEXT, "value": _TEXT, "work_id": "BIGINT", "score": "DECIMAL(5,4)", "reason": _TEXT}
TITLE: Final = {"value": _TEXT, "work_id": "BIGINT"}


def find(
    engine: Engine, *, titles: Callable[[], None], wanted: str = "SELECT DISTINCT scheme, value FROM grouped"
) -> None:
    """From what is `wanted`, `identifier`, `rule`, `reservation` and `public_suffix` the tables `found(scheme, value,
    work_id)`, `place(scheme, value, place)` and `member(whole, scheme, value)`.

    `titles` makes the table `title(value, work_id)`; it is called only where a line names a work by its title.
    """
    engine.execute("CREATE OR REPLACE VIEW reserved AS SELECT place FROM reservation WHERE place IS NOT NULL")
    engine.execute(f"CREATE OR REPLACE TABLE wanted AS {wanted}")
    named, several = (_any(engine, f"wanted WHERE scheme = '{scheme}'") for scheme in ("title", "several"))
    if several:
        engine.run(_MEMBERS)
    else:
        engine.table("member", {"whole": _TEXT, "scheme": _TEXT, "value": _TEXT})
        engine.execute("CREATE OR REPLACE VIEW sought AS SELECT scheme, value FROM wanted")
    engine.run(MATCH)
    if not (named or several or _any(engine, '"rule"')):
        return  # the register alone has said it
    if named:
        titles()
    else:
        engine.table("title", TITLE)
    engine.run(_MEAN)
    engine.execute("CREATE OR REPLACE TABLE found AS SELECT scheme, value, work_id FROM meant")


def guess(engine: Engine, society_id: int) -> None:
    """After `find`: let the matcher decide about titles that nothing has, the most used first and no more than a setting
    says. The tables `guess(scheme, value, work_id, score, reason)` and, with them, `found`.
    """
    unknown: list[tuple[str]] = []
    if _any(engine, "wanted WHERE scheme = 'title'"):
        unknown = engine.rows(
            f"""SELECT g.value FROM grouped g
            WHERE g.scheme = 'title' AND NOT EXISTS (SELECT 1 FROM found f WHERE f.scheme = 'title' AND f.value = g.value)
              AND NOT EXISTS (SELECT 1 FROM "rule" r WHERE r.scheme = 'title' AND r.value = g.value)
            GROUP BY g.value ORDER BY SUM(g.units) DESC, g.value LIMIT {int(settings.MATCH_MOST_TITLES)}"""
        )
    engine.table("guess", _GUESS, guesses(society_id, [value for (value,) in unknown]))
    if unknown:
        engine.execute("INSERT INTO found SELECT scheme, value, work_id FROM guess")


def guessed(engine: Engine) -> list[Guess]:
    """What `guess` decided, to be remembered with the declared use that rests on it."""
    return [Guess(*row) for row in engine.rows("SELECT scheme, value, work_id, score, reason FROM guess")]


def _any(engine: Engine, source: str) -> bool:
    return bool(engine.rows(f"SELECT 1 FROM {source} LIMIT 1"))
