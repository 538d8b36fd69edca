"""The demo's chapter on permission: publishers reserve, the firm is told and asks before it trains again, cases are opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db.models import Count, Sum

from config.demo.repertoire import write_csv
from licensing.compliance.models import Case, ReservationNotice
from licensing.permissions.models import BulkCheck, Reservation

Manage = Callable[..., dict[str, Any]]
USE = "train"
# What members of the demo's society sign.
TERMS = """You authorise the society to license the uses that you tick, to AI firms, under its published tariff.
You keep your rights, and you may license your works yourself. What you do not tick is licensed to nobody.
The society pays you your share of what it receives, after the deductions that it publishes.
"""
TERMS_KO = """회원은 직접 고른 이용을 단체가 공표된 징수규정에 따라 AI 기업에 허락하도록 위임합니다.
권리는 회원에게 그대로 있으며, 회원은 저작물의 이용을 스스로 허락할 수도 있습니다. 고르지 않은 이용은 누구에게도 허락되지 않습니다.
단체는 받은 금액에서 공표된 공제를 뺀 뒤 회원의 몫을 지급합니다.
"""


def tell(
    manage: Manage, folder: Path, *, society: str, firm: str, holders: Sequence[str], file: Path
) -> dict[str, Any]:
    """These holders reserve all their works; told twice, the second time changes nothing. Returns what the summary says."""
    reservations = write_csv(folder / "reservations.csv", ("target", "uses"), [("*", "train;finetune")])
    for holder in holders:
        manage("import_reservations", str(reservations), "--society", society, "--holder", holder)
    terms, in_korean = folder / "mandate-terms.txt", folder / "mandate-terms-ko.txt"
    terms.write_text(TERMS, encoding="utf-8")
    in_korean.write_text(TERMS_KO, encoding="utf-8")
    signed = ("--text", str(terms), "--text-ko", str(in_korean), "--notice-days", "90", "--notice-to", "month")
    manage("set_mandate_terms", "--society", society, *signed, "--from", "2026-01-01")
    manage("set_compensation", "--society", society, "--multiple", "1", "--from", "2026-01-01")
    manage("compliance")
    receipt = folder / "permission-receipt.jws"
    asked = _asked(manage, folder, firm, file, receipt)
    proof = manage("verify_receipt", str(receipt), "--items", str(file))
    cases = Case.objects.filter(society__ref=society)
    return {
        "reservations": Reservation.objects.filter(society__ref=society).count(),
        "notices": ReservationNotice.objects.filter(licensee__ref=firm).count(),
        "rows": asked.rows,
        "verdicts": asked.verdicts,
        "receipt": str(receipt),
        "receipt_valid": proof["valid"],
        "cases": cases.aggregate(number=Count("pk"), ordinary=Sum("ordinary")),
    }


def _asked(manage: Manage, folder: Path, firm: str, file: Path, receipt: Path) -> BulkCheck:
    """The firm's check of everything that it once declared; asked once, the answer stays."""
    done = BulkCheck.objects.filter(organisation__ref=firm, status=BulkCheck.Status.DONE)
    if not (done.exists() and receipt.exists()):
        out = ("--out", str(folder / "permission.csv"), "--receipt", str(receipt))
        manage("check_permissions", str(file), "--organisation", firm, "--use", USE, *out)
    return done.latest("pk")


def lines(told: dict[str, Any], money: Callable[[int], str]) -> Iterator[str]:
    """What the summary says of it."""
    cases = told["cases"]
    yield ""
    yield f"Permission first: {told['reservations']} publishers reserved training from now on; the firm got {told['notices']} notices"
    yield f"Asked before training again, {told['rows']:,} rows:"
    yield "  " + ", ".join(f"{number:,} {verdict}" for verdict, number in sorted(told["verdicts"].items()))
    yield f"  signed receipt, {'verified' if told['receipt_valid'] else 'NOT VALID'}: {told['receipt']}"
    yield f"Uses that nothing allowed: {cases['number']:,} cases, {money(cases['ordinary'] or 0)} by the tariff"
