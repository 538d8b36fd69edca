"""What is done with tariffs: a society proposes a version, a rate body determines or refuses it."""

from licensing.tariffs.services.deciding import determine, refuse
from licensing.tariffs.services.finding import find_tariff, next_version, version_for_period, version_in_force
from licensing.tariffs.services.proposing import Imported, import_tariff, propose

__all__ = [
    "Imported",
    "determine",
    "find_tariff",
    "import_tariff",
    "next_version",
    "propose",
    "refuse",
    "version_for_period",
    "version_in_force",
]
