"""The tables of licences."""

from licensing.licences.models.licences import Licence

__all__ = ["Licence"]
