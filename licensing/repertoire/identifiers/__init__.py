"""Identifiers of works: each scheme's normal form and check digit. Pure."""

from licensing.repertoire.identifiers.schemes import BadIdentifier, normalise, split

__all__ = ["BadIdentifier", "normalise", "split"]
