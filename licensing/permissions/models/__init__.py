"""The tables of permission."""

from licensing.permissions.models.mandates import DirectLicence, Mandate

__all__ = ["DirectLicence", "Mandate"]
