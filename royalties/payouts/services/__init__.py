"""Payouts: prepared, approved by a second person, ordered by one journal, sent once, answered by the bank."""

from royalties.payouts.services.answers import (
    apply_all_entries,
    apply_entries,
    import_answer,
    return_by_hand,
    settle_by_hand,
)
from royalties.payouts.services.checks import identity, problems
from royalties.payouts.services.ordering import approve, order, pending, request
from royalties.payouts.services.policies import next_payment, policy_on, set_policy
from royalties.payouts.services.preparing import prepare
from royalties.payouts.services.sending import BankFile, bank_file
from royalties.payouts.services.starting import currencies, discard, open_batch, stalled, start

__all__ = [
    "BankFile",
    "apply_all_entries",
    "apply_entries",
    "approve",
    "bank_file",
    "currencies",
    "discard",
    "identity",
    "import_answer",
    "next_payment",
    "open_batch",
    "order",
    "pending",
    "policy_on",
    "prepare",
    "problems",
    "request",
    "return_by_hand",
    "set_policy",
    "settle_by_hand",
    "stalled",
    "start",
]
