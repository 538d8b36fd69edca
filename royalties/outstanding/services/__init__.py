"""What is done about money that waits: its terms, its age, the search for whose it is, notices, warnings, resolutions."""

from royalties.outstanding.services.ageing import Ageing, ageing, ageing_lines, item_lines
from royalties.outstanding.services.checks import problems
from royalties.outstanding.services.noticing import publish_notice
from royalties.outstanding.services.resolving import decide_resolution, eligible, request_resolution
from royalties.outstanding.services.searching import begin_tracing, close_tracing, log_attempt
from royalties.outstanding.services.terms import ask_terms, decide_terms, import_terms
from royalties.outstanding.services.warning import warn, warn_all

__all__ = [
    "Ageing",
    "ageing",
    "ageing_lines",
    "ask_terms",
    "begin_tracing",
    "close_tracing",
    "decide_resolution",
    "decide_terms",
    "eligible",
    "import_terms",
    "item_lines",
    "log_attempt",
    "problems",
    "publish_notice",
    "request_resolution",
    "warn",
    "warn_all",
]
