"""From the grouped lines of a declaration to the works that they name: the table `found`, on the engine."""

from __future__ import annotations

from licensing.engine.core import Engine
from licensing.matching import MATCH


def find(engine: Engine) -> None:
    """From `grouped(scheme, value, …)`, `identifier`, `reservation` and `public_suffix` the tables of `match.sql`:
    `found(scheme, value, work_id)` and `place(scheme, value, place)`.
    """
    engine.execute("CREATE OR REPLACE VIEW reserved AS SELECT place FROM reservation WHERE place IS NOT NULL")
    engine.execute("CREATE OR REPLACE TABLE sought AS SELECT DISTINCT scheme, value FROM grouped")
    engine.run(MATCH)
