"""What is done with tariffs: a society drafts and publishes, anyone comments, a rate body determines or refuses."""

from licensing.tariffs.services.commenting import answer, comment, confirm, moderate
from licensing.tariffs.services.deciding import amend, determine, may_decide, refuse, set_interim
from licensing.tariffs.services.drafting import discard, draft, revise, state_figures
from licensing.tariffs.services.finding import find_tariff, next_version, version_for_period, version_in_force
from licensing.tariffs.services.pricing import price, version_to_price
from licensing.tariffs.services.proposing import Imported, import_tariff, propose
from licensing.tariffs.services.publishing import extend, publish, withdraw

__all__ = [
    "Imported",
    "amend",
    "answer",
    "comment",
    "confirm",
    "determine",
    "discard",
    "draft",
    "extend",
    "find_tariff",
    "import_tariff",
    "may_decide",
    "moderate",
    "next_version",
    "price",
    "propose",
    "publish",
    "refuse",
    "revise",
    "set_interim",
    "state_figures",
    "version_for_period",
    "version_in_force",
    "version_to_price",
    "withdraw",
]
