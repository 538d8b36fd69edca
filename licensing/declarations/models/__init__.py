"""The tables of declarations and of the duty to make them."""

from licensing.declarations.models.declarations import Declaration, DeclarationFile, DeclarationQuerySet, DeclaredUse
from licensing.declarations.models.duties import ReportDuty

__all__ = ["Declaration", "DeclarationFile", "DeclarationQuerySet", "DeclaredUse", "ReportDuty"]
