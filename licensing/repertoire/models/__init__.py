"""The tables of the repertoire."""

from licensing.repertoire.models.joining import Application, Registration, RegistrationShare
from licensing.repertoire.models.register import (
    Holder,
    HolderQuerySet,
    Identifier,
    RepertoireRevision,
    Representation,
    Share,
    ShareQuerySet,
    Work,
    WorkAlias,
    WorkQuerySet,
)

__all__ = [
    "Application",
    "Holder",
    "HolderQuerySet",
    "Identifier",
    "Registration",
    "RegistrationShare",
    "RepertoireRevision",
    "Representation",
    "Share",
    "ShareQuerySet",
    "Work",
    "WorkAlias",
    "WorkQuerySet",
]
