"""Payees told in the small: details in use, a change that waits, a file, a certificate, another waiting time."""

from __future__ import annotations

import datetime
from pathlib import Path

from django.utils import timezone

from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.repertoire.models import Holder
from royalties.payees import services
from tests.journeys.example import MEMBER_REF, SOCIETY


def tell(folder: Path, *, society: str, second: str) -> None:
    """`society` asks, `second` approves; both may, whatever else they are."""
    of = Organisation.objects.get(ref=SOCIETY)
    first, other = (actor_of_user(User.objects.get(email=email), of.pk) for email in (society, second))
    services.decide_terms(
        actor=other, terms=services.request_terms(actor=first, society=of, cooling_off_days=0), approve=True
    )
    member = services.payee_of(Holder.objects.get(society=of, ref=MEMBER_REF))
    korean = {"bank": "신한은행", "residence": "KR", "tax_status": "kr_business", "holder_name": "Han"}
    used = services.request_details(actor=first, payee=member, account="110-123-456789", **korean)
    services.decide_details(actor=other, details=used, approve=True)
    services.record_check(actor=other, details_ids=[used.pk], state="clear", source="UN list, 1 November 2026")
    services.reveal(actor=other, details_ids=[used.pk], reason="first payment")
    services.request_details(actor=first, payee=member, account="110-999-888777", **korean)
    today = timezone.localdate()
    services.request_paper(
        actor=first,
        payee=member,
        kind="treaty",
        country="JP",
        valid_from=today,
        valid_to=today + datetime.timedelta(days=365),
    )
    services.request_terms(actor=first, society=of, cooling_off_days=5)
    file = folder / "payees.csv"
    holder = Holder.objects.filter(society=of).exclude(ref=MEMBER_REF).order_by("ref")[0]
    file.write_text(f"holder_ref,account,bank\n{holder.ref},110-555-444333,088\nNOBODY,1,088\n", encoding="utf-8")
    made = services.import_payees(actor=first, society=of, path=file, name=file.name).made
    services.ask_import_approval(actor=first, made=made)
