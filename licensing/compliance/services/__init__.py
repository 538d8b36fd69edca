"""Reservations that licensees must know of, and cases about uses that nothing allowed."""

from licensing.compliance.services.cases import (
    KIND,
    accept,
    close,
    decide_settlement,
    dispute,
    find_case,
    license_afterwards,
    pending_approval,
    point_to_licence,
    settle,
)
from licensing.compliance.services.finding import close_found, open_found
from licensing.compliance.services.notices import acknowledge, acknowledge_all, remind, tell_effective, tell_ended
from licensing.compliance.services.opening import open_cases, waiting
from licensing.compliance.services.sending import notify_case, notify_declaration
from licensing.compliance.services.terms import set_compensation

__all__ = [
    "KIND",
    "accept",
    "acknowledge",
    "acknowledge_all",
    "close",
    "close_found",
    "decide_settlement",
    "dispute",
    "find_case",
    "license_afterwards",
    "notify_case",
    "notify_declaration",
    "open_cases",
    "open_found",
    "pending_approval",
    "point_to_licence",
    "remind",
    "set_compensation",
    "settle",
    "tell_effective",
    "tell_ended",
    "waiting",
]
