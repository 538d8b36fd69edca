"""Identifiers of works: each scheme's normal form and check digit. Pure."""

from licensing.repertoire.identifiers.schemes import normalise, split
from licensing.repertoire.identifiers.wrong import BadIdentifier

__all__ = ["BadIdentifier", "normalise", "split"]
