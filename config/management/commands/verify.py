"""`verify`: every invariant of the ledger and of every slice that keeps money."""

from __future__ import annotations

from typing import Any

from config.commands import Command as BaseCommand
from royalties.bank.services import problems as of_the_bank
from royalties.billing.services import problems as of_billing
from royalties.distribution.services import problems as of_distribution
from royalties.entitlements.services import problems as of_entitlements
from royalties.ledger.services import problems as of_the_ledger
from royalties.outstanding.services import problems as of_outstanding
from royalties.payouts.services import problems as of_payouts
from royalties.reports.services import problems as of_reports
from royalties.statements.services import problems as of_statements

# A slice whose stored figures must hold adds its `problems()` here: {what, subject, detail}, none when all is well.
SLICES = (
    of_the_ledger,
    of_the_bank,
    of_billing,
    of_distribution,
    of_payouts,
    of_outstanding,
    of_statements,
    of_reports,
    of_entitlements,
)


class Command(BaseCommand):
    help = "Look for broken invariants in what is stored. Exit status 1 and a list where one fails."

    def run(self, **options: Any) -> dict[str, Any]:
        found = [problem for problems in SLICES for problem in problems()]
        return {"ok": not found, "problems": found}

    def text(self, result: dict[str, Any]) -> str:
        if result["ok"]:
            return "All invariants hold: ledger, bank, billing, rights of others, distribution, payouts, what waits, statements, reports."
        told = [f"{each['what']}  {each['subject']}: {each['detail']}" for each in result["problems"]]
        return "\n".join([f"{len(told)} broken:", *told])

    def status(self, result: dict[str, Any]) -> int:
        return 0 if result["ok"] else 1
