"""The pure half of payees: what tax is withheld, what an account number must look like, how long a paper counts."""

from royalties.payees.core.accounts import Account, BadAccount, account_from, masked
from royalties.payees.core.papers import last_day_of_w8
from royalties.payees.core.rules import TaxRule, TaxTerm, parse, read_text
from royalties.payees.core.withholding import TaxLine, TaxRules, Treaty, Withholding, category_of, withhold

__all__ = [
    "Account",
    "BadAccount",
    "TaxLine",
    "TaxRule",
    "TaxRules",
    "TaxTerm",
    "Treaty",
    "Withholding",
    "account_from",
    "category_of",
    "last_day_of_w8",
    "masked",
    "parse",
    "read_text",
    "withhold",
]
