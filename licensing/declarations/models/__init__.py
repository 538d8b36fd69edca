"""The tables of declarations and of the duty to make them."""

from licensing.declarations.models.arriving import AnnouncedFile
from licensing.declarations.models.checking import AuditLine, AuditSample, PublicFigure
from licensing.declarations.models.declarations import (
    Declaration,
    DeclarationFile,
    DeclarationQuerySet,
    DeclaredUse,
    Quota,
)
from licensing.declarations.models.duties import ReportDuty
from licensing.declarations.models.findings import (
    Change,
    Difference,
    HostSum,
    Overlap,
    OverlapRow,
    Question,
    UseSum,
)

__all__ = [
    "AnnouncedFile",
    "AuditLine",
    "AuditSample",
    "Change",
    "Declaration",
    "DeclarationFile",
    "DeclarationQuerySet",
    "DeclaredUse",
    "Difference",
    "HostSum",
    "Overlap",
    "OverlapRow",
    "PublicFigure",
    "Question",
    "Quota",
    "ReportDuty",
    "UseSum",
]
