"""The only writer of the book: accounts are opened, journals posted and reversed, periods closed, invariants looked for."""

from royalties.ledger.core import Transfer
from royalties.ledger.services.accounts import account, accounts, open_accounts, open_book
from royalties.ledger.services.checks import TrialLine, problems, trial_balance
from royalties.ledger.services.journals import post, post_query, reverse
from royalties.ledger.services.periods import close_period, closed_through, hold_book

__all__ = [
    "Transfer",
    "TrialLine",
    "account",
    "accounts",
    "close_period",
    "closed_through",
    "hold_book",
    "open_accounts",
    "open_book",
    "post",
    "post_query",
    "problems",
    "reverse",
    "trial_balance",
]
