"""What is done with permission: one verb a function."""

from licensing.permissions.services.checks import MOST_ITEMS, check
from licensing.permissions.services.mandates import end_mandate, grant_mandate

__all__ = ["MOST_ITEMS", "check", "end_mandate", "grant_mandate"]
