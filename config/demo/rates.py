"""The demo's chapter on rates and licences: a proposal under consultation, a scheme that is off, a fixed price taken at once."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from django.utils import timezone

from accounts.organisations.models import Organisation
from config.actors import actor_by_email
from config.demo.documents import PROPOSAL, READY, SCHEME
from licensing.declarations.effects import predicted
from licensing.declarations.services import make_due
from licensing.licences.models import Certificate, Licence, StandardTerms, StandingOffer
from licensing.licences.services import certificate_files, certificates, documents, standing, taking
from licensing.licences.services.terms import import_terms
from licensing.licences.terms import shipped
from licensing.tariffs import services as tariffs
from licensing.tariffs.models import Comment, Tariff, TariffVersion

Manage = Callable[..., dict[str, Any]]
WEEKS: Final = datetime.timedelta(weeks=4)
REASONS: Final = (
    "Firms asked for a price that falls later and for one that ends negotiations on large corpora. "
    "Publishers asked that the first billion tokens keep their worth. This version does both."
)
EFFECT: Final = (
    "Firms that train on less than a billion tokens pay a tenth more, those beyond ten billion a tenth less."
)
SAID: Final = (
    "Small publishers are read in the first billion tokens, so we welcome the higher first price. "
    "The lower last price should not begin before it is known what share of training lies there."
)


def tell(manage: Manage, folder: Path, *, society: str, firm: str, body: str, commission: str) -> dict[str, Any]:
    """A new version is proposed and commented on; a small firm takes what stands ready. Told twice, nothing changes."""
    proposal = _proposed(society, body, commission)
    law = folder / "scheme.json"
    law.write_text(json.dumps(SCHEME, indent=1, ensure_ascii=False), encoding="utf-8")
    scheme = manage("import_scheme", str(law), "--society", society)
    licence = _taken(manage, folder, society, firm, body)
    make_due(timezone.localdate())
    certificate = Certificate.objects.get(licence=licence)
    paper, signed = folder / "certificate.pdf", folder / "certificate.jws"
    paper.write_bytes(certificate_files.paper(certificate, "en"))
    signed.write_text(certificate.jws, encoding="ascii")
    return {
        "tariff": proposal.tariff.ref,
        "version": proposal.version,
        "closes": proposal.consultation.upper.isoformat(),
        "comments": proposal.comments.filter(status=Comment.Status.PUBLISHED).count(),
        "licence": licence.ref,
        "amount": licence.offer.quote.amount,
        "code": certificate.code,
        "valid": manage("verify_certificate", str(signed))["signature"],
        "paper": str(paper),
        "scheme": SCHEME["name"],
        "scheme_on": scheme["enabled"],
    }


def _proposed(society: str, body: str, commission: str) -> TariffVersion:
    """Published with reasons and its effect on what was declared; a comment on it is made public by the rate body."""
    made = TariffVersion.objects.filter(tariff__society__ref=society, tariff__ref=PROPOSAL["tariff"])
    held = made.filter(version=PROPOSAL["version"]).select_related("tariff").first()
    if held is not None and held.comments.exists():
        return held
    staff = actor_by_email(f"licensing@{society}.example")
    of = Organisation.objects.get(ref=society)
    draft = held or tariffs.draft(actor=staff, society=of, document=PROPOSAL)
    if draft.status == TariffVersion.Status.DRAFT:
        draft = tariffs.state_figures(actor=staff, version=draft, figures=predicted(draft, today=timezone.localdate()))
        closes = timezone.localdate() + WEEKS
        draft = tariffs.publish(
            actor=staff, version=draft, body=Organisation.objects.get(ref=body), reasons=REASONS, effect=EFFECT,
            closes=closes, decide_by=closes + WEEKS,
        )  # fmt: skip
    comment = tariffs.comment(
        actor=actor_by_email("publisher@creator.example"), version=draft, name="A publisher", standing="creator", text=SAID,
        language="en",
    )  # fmt: skip
    tariffs.moderate(actor=actor_by_email(commission), comment=comment)
    return draft


def _taken(manage: Manage, folder: Path, society: str, firm: str, body: str) -> Licence:
    """The society's two people make a fixed price ready; the firm's administrator signs, and has the licence."""
    taken = Licence.objects.filter(licensee__ref=firm, tariff__ref=READY["tariff"]).first()
    if taken is not None:
        return taken
    document = folder / "tariff-ready.json"
    document.write_text(json.dumps(READY, indent=1), encoding="utf-8")
    manage("import_tariff", str(document), "--society", society, "--determined-by", body)
    offer = StandingOffer.objects.filter(society__ref=society).first() or _made_ready(society)
    signer = actor_by_email(f"admin@{firm}.example")
    chosen: dict[str, Any] = {"term_from": timezone.localdate(), "tier": "small", "tier_evidence": "Seven employees."}
    shown = taking.propose(actor=signer, standing=offer, **chosen)
    return taking.take(
        actor=signer, standing=offer, ref=shown.ref, sha256=shown.sha256, typed_name="Han Seoyeon", capacity="Managing director",
        **chosen,
    )  # fmt: skip


def _made_ready(society: str) -> StandingOffer:
    of = Organisation.objects.get(ref=society)
    first, second = actor_by_email(f"licensing@{society}.example"), actor_by_email(f"admin@{society}.example")
    import_terms(actor=first, society=of, document=shipped(), published=True)
    made = standing.prepare(
        actor=first, society=of, tariff=Tariff.objects.get(society=of, ref=READY["tariff"]),
        standard_terms=StandardTerms.objects.published().get(society=of), name="Web text for small firms",
        name_ko="소규모 기업을 위한 웹 텍스트", tiers=["small"], uses=["train", "ground"], kinds=["web"], territory=["KR"],
    )  # fmt: skip
    return standing.sign_standing(
        actor=second, standing=made, typed_name="Kim Minjun", capacity="Head of licensing",
        sha256=documents.digest(standing.document_of(made)),
    )  # fmt: skip


def lines(told: dict[str, Any], money: Callable[[int], str]) -> Iterator[str]:
    """What the summary says of it."""
    yield ""
    yield (
        f"Rates in public: version {told['version']} of {told['tariff']} is under consultation until {told['closes']}, "
        f"{told['comments']} comment published by the rate body"
    )
    yield f"In one sitting: {told['licence']}, {money(told['amount'])} a year at a fixed price"
    address = certificates.address(told["code"])
    yield f"  certificate {told['code']}, {'verified' if told['valid'] else 'NOT VALID'}: {told['paper']}, {address}"
    yield f"Statutory scheme “{told['scheme']}”: {'ON' if told['scheme_on'] else 'off'}, and seen by everyone at /schemes/"
