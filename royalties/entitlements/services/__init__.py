"""What can be done with the rights of others to what a holder is owed: one verb a function."""

from royalties.entitlements.services.advances import (
    decide_advance,
    decide_write_off,
    record_advance_paid,
    request_advance,
    request_write_off,
    withheld_from,
)
from royalties.entitlements.services.checks import problems
from royalties.entitlements.services.rights import (
    decide_end,
    decide_entitlement,
    request_end,
    request_entitlement,
    status_on,
)
from royalties.entitlements.services.sisters import (
    decide_agreement,
    decide_agreement_end,
    detail_file,
    find_statement,
    import_sister_members,
    record_sister_paid,
    request_agreement,
    request_agreement_end,
    write_detail,
)
from royalties.entitlements.services.terms import gave_back, terms_for, took
from royalties.entitlements.services.transfer import transfer

__all__ = [
    "decide_advance",
    "decide_agreement",
    "decide_agreement_end",
    "decide_end",
    "decide_entitlement",
    "decide_write_off",
    "detail_file",
    "find_statement",
    "gave_back",
    "import_sister_members",
    "problems",
    "record_advance_paid",
    "record_sister_paid",
    "request_advance",
    "request_agreement",
    "request_agreement_end",
    "request_end",
    "request_entitlement",
    "request_write_off",
    "status_on",
    "terms_for",
    "took",
    "transfer",
    "withheld_from",
    "write_detail",
]
