"""Who else has a right to what a holder is owed: pure rules."""

from royalties.entitlements.core.dividing import OWN, WHOLE, Claim, Part, Terms, divide, portions
from royalties.entitlements.core.flows import Advanced, Came, Flow, Right, flows
from royalties.entitlements.core.sisters import cuts

__all__ = [
    "OWN",
    "WHOLE",
    "Advanced",
    "Came",
    "Claim",
    "Flow",
    "Part",
    "Right",
    "Terms",
    "cuts",
    "divide",
    "flows",
    "portions",
]
