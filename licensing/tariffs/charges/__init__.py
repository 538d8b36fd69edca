"""The charge models of a tariff, one small module each. Pure.

A model reads its own keys of the JSON document and prices a measure: the exact amount in major units, with its steps.
"""

from typing import Final

from licensing.tariffs.charges import flat, graduated, package, per_unit, per_work, percentage, volume
from licensing.tariffs.charges.base import Rates

MODELS: Final[dict[str, type[Rates]]] = {
    "flat": flat.Flat,
    "per_unit": per_unit.PerUnit,
    "graduated": graduated.Graduated,
    "volume": volume.Volume,
    "package": package.Package,
    "per_work": per_work.PerWork,
    "percentage": percentage.Percentage,
}
