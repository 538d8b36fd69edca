"""The verbs of distribution: the rule, and a run from its start to its statements."""

from royalties.distribution.services.compute import compute
from royalties.distribution.services.rules import approve_rule, import_rule, request_rule_approval
from royalties.distribution.services.runs import discard, recompute, start_run

__all__ = [
    "approve_rule",
    "compute",
    "discard",
    "import_rule",
    "recompute",
    "request_rule_approval",
    "start_run",
]
