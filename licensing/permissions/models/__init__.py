"""The tables of permission."""

from licensing.permissions.models.checks import BulkCheck
from licensing.permissions.models.mandates import DirectLicence, Mandate, MandateSignature, MandateTerms
from licensing.permissions.models.reservations import FoundSignal, Reservation, Site
from licensing.permissions.models.schemes import StatutoryScheme

__all__ = [
    "BulkCheck",
    "DirectLicence",
    "FoundSignal",
    "Mandate",
    "MandateSignature",
    "MandateTerms",
    "Reservation",
    "Site",
    "StatutoryScheme",
]
