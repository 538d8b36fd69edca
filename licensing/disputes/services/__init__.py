"""What is done with conflicts over shares: found, raised, answered, settled, decided, withdrawn."""

from licensing.disputes.services.answering import agree, object_to, propose
from licensing.disputes.services.deciding import ask_decision, decide_dispute, pending_approval
from licensing.disputes.services.finding import find_all, find_overclaimed
from licensing.disputes.services.raising import raise_dispute, withdraw
from licensing.disputes.services.reminding import remind
from licensing.disputes.services.terms import set_terms, terms_on

__all__ = [
    "agree",
    "ask_decision",
    "decide_dispute",
    "find_all",
    "find_overclaimed",
    "object_to",
    "pending_approval",
    "propose",
    "raise_dispute",
    "remind",
    "set_terms",
    "terms_on",
    "withdraw",
]
