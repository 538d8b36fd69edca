"""Imports of holders, works and shares, also in formats of the field: set-based, a million rows in minutes."""

from licensing.repertoire.importing.cwr import import_cwr
from licensing.repertoire.importing.holders import import_holders
from licensing.repertoire.importing.onix import import_onix
from licensing.repertoire.importing.renewals import import_renewals
from licensing.repertoire.importing.shares import import_shares
from licensing.repertoire.importing.works import import_works

__all__ = ["import_cwr", "import_holders", "import_onix", "import_renewals", "import_shares", "import_works"]
