"""What is done with licences: asked for, quoted, offered, signed or granted; amended, suspended, terminated, renewed, expired."""

from licensing.licences.services.common import checked_codes, checked_territory
from licensing.licences.services.granting import create_licence, find_licence
from licensing.licences.services.moving import activate, expire_due, resume, suspend, suspension_of, terminate
from licensing.licences.services.offering import lapse_due, offer, withdraw_offer
from licensing.licences.services.quoting import price, quote
from licensing.licences.services.renewing import remind_of_renewals
from licensing.licences.services.requests import ask, attach, decline, revise, submit, withdraw
from licensing.licences.services.signing import sign
from licensing.licences.services.waiting import waiting_for

__all__ = [
    "activate",
    "ask",
    "attach",
    "checked_codes",
    "checked_territory",
    "create_licence",
    "decline",
    "expire_due",
    "find_licence",
    "lapse_due",
    "offer",
    "price",
    "quote",
    "remind_of_renewals",
    "resume",
    "revise",
    "sign",
    "submit",
    "suspend",
    "suspension_of",
    "terminate",
    "waiting_for",
    "withdraw",
    "withdraw_offer",
]
