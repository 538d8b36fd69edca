"""Imports of holders, works and shares: set-based, a million rows in minutes."""

from licensing.repertoire.importing.holders import import_holders
from licensing.repertoire.importing.shares import import_shares
from licensing.repertoire.importing.works import import_works

__all__ = ["import_holders", "import_shares", "import_works"]
