"""What is taken of a holder's money that goes to the sister society that they belong to. Pure.

`royalties_sister_cuts` in `entitlements.sql` says the same in PostgreSQL; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

from royalties.entitlements.core.dividing import WHOLE


def cuts(gross: int, ppms: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """The deductions of an agreement in their order, each from what is left and rounded half up, and the net.

    >>> cuts(1_000_003, [150_000, 30_000])
    ((150000, 25500), 824503)
    """
    found, left = [], gross
    for ppm in ppms:
        cut = (left * ppm + WHOLE // 2) // WHOLE
        found.append(cut)
        left -= cut
    return tuple(found), left
