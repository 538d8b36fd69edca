"""The verbs of distribution: the rule, and a run from its start to its statements."""

from royalties.distribution.services.approval import approve, pending, request, request_reversal
from royalties.distribution.services.checks import problems, problems_of
from royalties.distribution.services.compute import compute
from royalties.distribution.services.expiring import expire
from royalties.distribution.services.export import export
from royalties.distribution.services.guards import find_run
from royalties.distribution.services.posting import post, publish, reverse
from royalties.distribution.services.rules import approve_rule, import_rule, request_rule_approval
from royalties.distribution.services.runs import (
    discard,
    recompute,
    start_run,
    waiting_corrections,
    waiting_for_use,
    waiting_money,
    waiting_releases,
)

__all__ = [
    "approve",
    "approve_rule",
    "compute",
    "discard",
    "expire",
    "export",
    "find_run",
    "import_rule",
    "pending",
    "post",
    "problems",
    "problems_of",
    "publish",
    "recompute",
    "request",
    "request_reversal",
    "request_rule_approval",
    "reverse",
    "start_run",
    "waiting_corrections",
    "waiting_for_use",
    "waiting_money",
    "waiting_releases",
]
