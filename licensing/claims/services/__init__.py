"""What is done with what was declared and matched nothing: kept up, decided, claimed."""

from licensing.claims.services.claiming import claim, decide_claims, withdraw
from licensing.claims.services.deciding import Alike, alike, decide, new_work, undo
from licensing.claims.services.refreshing import refresh_all, refresh_items, seek_candidates, settle

__all__ = [
    "Alike",
    "alike",
    "claim",
    "decide",
    "decide_claims",
    "new_work",
    "refresh_all",
    "refresh_items",
    "seek_candidates",
    "settle",
    "undo",
    "withdraw",
]
