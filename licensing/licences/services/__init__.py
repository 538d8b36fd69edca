"""What is done with licences: granted by a society, activated, suspended, resumed, terminated, expired."""

from licensing.licences.services.common import checked_codes, checked_territory
from licensing.licences.services.granting import create_licence, find_licence
from licensing.licences.services.moving import activate, expire_due, resume, suspend, terminate

__all__ = [
    "activate",
    "checked_codes",
    "checked_territory",
    "create_licence",
    "expire_due",
    "find_licence",
    "resume",
    "suspend",
    "terminate",
]
