"""Matching: from what a line says to the work that it means."""

from pathlib import Path
from typing import Final

MATCH: Final = Path(__file__).with_name("match.sql")
