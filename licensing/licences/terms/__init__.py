"""Standard terms that the house ships: a society starts from them and publishes them under its own name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from licensing.licences import clauses

SHIPPED = Path(__file__).with_name("standard.json")


def shipped() -> dict[str, Any]:
    """The document of the shipped terms, as a society would write it."""
    document: dict[str, Any] = clauses.read_text(SHIPPED.read_bytes())
    return document
