"""The tables of tariffs."""

from licensing.tariffs.models.tariffs import Tariff, TariffVersion

__all__ = ["Tariff", "TariffVersion"]
