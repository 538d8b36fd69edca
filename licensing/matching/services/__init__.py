"""The verbs of matching: decide what a value means, take it back, look for works that it may be."""

from licensing.matching.services.deciding import decide, remember, withdraw
from licensing.matching.services.spelling import refresh_titles
from licensing.matching.services.suggesting import Candidate, candidates, guesses

__all__ = ["Candidate", "candidates", "decide", "guesses", "refresh_titles", "remember", "withdraw"]
