"""The engine: set-based SQL on many rows, outside PostgreSQL. `connect()` gives the configured one."""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from licensing.engine.core import Engine

__all__ = ["connect", "name_of"]


def connect(society_id: int | None = None) -> AbstractContextManager[Engine]:
    """The engine that computes for this society; without one, the installation's. Its tables vanish with the block.

    Files of people are read on `engine.duck.connect()` instead.
    """
    if name_of(society_id) == "spark":
        from licensing.engine import spark

        return spark.connect()
    from licensing.engine import duck

    return duck.connect()


def name_of(society_id: int | None = None) -> str:
    """`duckdb` or `spark`: what a society chose, else the installation's setting."""
    from licensing.engine.models import EngineChoice

    chosen = EngineChoice.objects.filter(society_id=society_id).first() if society_id else None
    name = chosen.engine if chosen else settings.ENGINE
    if name not in EngineChoice.Name.values:
        raise ImproperlyConfigured(f"ENGINE is {name}: it is duckdb or spark.")
    return str(name)
