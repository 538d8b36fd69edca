"""What can be done with payees: one verb a function."""

from royalties.payees.services.approving import ask_import_approval, decide_import, own_import, waits
from royalties.payees.services.checking import record_check
from royalties.payees.services.details import (
    add_third_party,
    ask_approval,
    decide_details,
    object_to,
    payee_of,
    request_details,
    stop,
)
from royalties.payees.services.guards import acts_for_money, own_details, own_payee
from royalties.payees.services.importing import import_payees
from royalties.payees.services.law import as_treaty, import_tax_rule, tax_rules, treaties
from royalties.payees.services.papers import decide_paper, request_paper, revoke_paper
from royalties.payees.services.reading import reveal
from royalties.payees.services.resealing import reseal
from royalties.payees.services.telling import details_of_token
from royalties.payees.services.terms import cooling_off, decide_terms, request_terms

__all__ = [
    "acts_for_money",
    "add_third_party",
    "as_treaty",
    "ask_approval",
    "ask_import_approval",
    "cooling_off",
    "decide_details",
    "decide_import",
    "decide_paper",
    "decide_terms",
    "details_of_token",
    "import_payees",
    "import_tax_rule",
    "object_to",
    "own_details",
    "own_import",
    "own_payee",
    "payee_of",
    "record_check",
    "request_details",
    "request_paper",
    "request_terms",
    "reseal",
    "reveal",
    "revoke_paper",
    "stop",
    "tax_rules",
    "treaties",
    "waits",
]
