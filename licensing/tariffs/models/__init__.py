"""The tables of tariffs and of the procedure in which they are set."""

from licensing.tariffs.models.procedure import Attachment, Comment, Decision
from licensing.tariffs.models.tariffs import PRICING, Tariff, TariffVersion

__all__ = ["PRICING", "Attachment", "Comment", "Decision", "Tariff", "TariffVersion"]
