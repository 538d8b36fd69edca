"""Every attack on the book, with what must refuse it."""

from tests.royalties.attacks import plain, sly
from tests.royalties.attacks.registry import ATTACKS, Attack, Session

__all__ = ["ATTACKS", "Attack", "Session", "plain", "sly"]
