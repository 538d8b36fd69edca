"""What the bank said, and what each entry of it was for."""

from royalties.bank.services.accounts import (
    DayBalance,
    balance_on,
    balances,
    open_account,
    own_account,
    save_columns,
)
from royalties.bank.services.checks import problems
from royalties.bank.services.entries import apply, effective_day, held, open_entries, park, source
from royalties.bank.services.importing import import_statement
from royalties.bank.services.rates import rate_for, record_rate

__all__ = [
    "DayBalance",
    "apply",
    "balance_on",
    "balances",
    "effective_day",
    "held",
    "import_statement",
    "open_account",
    "open_entries",
    "own_account",
    "park",
    "problems",
    "rate_for",
    "record_rate",
    "save_columns",
    "source",
]
