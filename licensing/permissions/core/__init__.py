"""The rules of permission. Pure."""

from licensing.permissions.core.decision import (
    SEOUL,
    Decision,
    Facts,
    Grant,
    Reason,
    Reservation,
    Share,
    Span,
    decide,
    seoul_day,
    without_work,
)

__all__ = [
    "SEOUL",
    "Decision",
    "Facts",
    "Grant",
    "Reason",
    "Reservation",
    "Share",
    "Span",
    "decide",
    "seoul_day",
    "without_work",
]
