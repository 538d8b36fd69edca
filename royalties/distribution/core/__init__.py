"""The pure rules of distribution: the rule document, the cuts of a pool, and exact allocation (the engine's oracle)."""

from royalties.distribution.core.allocation import Line, Part, Share, Use, allocate, largest_remainder
from royalties.distribution.core.cuts import Cut, Cuts, cut, half_up
from royalties.distribution.core.rules import DeductionRule, RuleTerms, parse, read_text

__all__ = [
    "Cut",
    "Cuts",
    "DeductionRule",
    "Line",
    "Part",
    "RuleTerms",
    "Share",
    "Use",
    "allocate",
    "cut",
    "half_up",
    "largest_remainder",
    "parse",
    "read_text",
]
