"""What is done with a repertoire: files imported, holders, works and shares kept by hand, people who act for others."""

from licensing.repertoire.importing import (
    import_cwr,
    import_holders,
    import_onix,
    import_renewals,
    import_shares,
    import_works,
)
from licensing.repertoire.services.holders import holder_ids_of, represent, save_holder
from licensing.repertoire.services.merging import (
    add_alias,
    merge_works,
    named_work,
    remove_alias,
    survivor,
    unmerge_work,
)
from licensing.repertoire.services.shares import Settled, ShareLine, mark_disputed, set_shares, settle_shares
from licensing.repertoire.services.works import save_work

__all__ = [
    "Settled",
    "ShareLine",
    "add_alias",
    "holder_ids_of",
    "import_cwr",
    "import_holders",
    "import_onix",
    "import_renewals",
    "import_shares",
    "import_works",
    "mark_disputed",
    "merge_works",
    "named_work",
    "remove_alias",
    "represent",
    "save_holder",
    "save_work",
    "set_shares",
    "settle_shares",
    "survivor",
    "unmerge_work",
]
