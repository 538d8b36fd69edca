"""The engine: set-based SQL on many rows, outside PostgreSQL. `connect()` gives the configured one."""

from licensing.engine.duck import connect

__all__ = ["connect"]
