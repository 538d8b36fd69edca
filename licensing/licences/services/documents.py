"""The contract as data and as paper: what both sides sign is one digest, and the PDFs are laid out from the same data.

`agreement_of` gathers everything that is agreed; `digest` is SHA-256 of its canonical JSON (RFC 8785). `pdf_of` makes the
document in a language, the same bytes whenever it is made from the same data.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import rfc8785
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

import licensing.licences
from accounts.identity.paper import pdf
from accounts.organisations.models import Organisation
from licensing.licences import clauses, wording
from licensing.licences.conditions import Conditions
from licensing.licences.models import LicenceRequest, Offer, Quote, Signature, StandardTerms, StandingOffer
from licensing.tariffs.core import Quantity
from licensing.tariffs.core import digest as rating_digest

TEMPLATE: Final = Path(licensing.licences.__file__).with_name("agreement.typ")
LANGUAGES: Final = clauses.LANGUAGES
FORMAT: Final = "licence-agreement/1"
_LONG: Final = re.compile(r"\S{25,}")


def agreement_of(
    request: LicenceRequest,
    quote: Quote,
    terms: StandardTerms,
    conditions: Conditions,
    *,
    standing: StandingOffer | None = None,
) -> dict[str, Any]:
    """Everything that both sides sign, as JSON of texts and whole numbers. `to` is the first day after the term."""
    version = quote.version
    return {
        "format": FORMAT,
        "request": request.ref,
        "standing_offer": {"ref": standing.ref, "sha256": standing.document_sha256} if standing else None,
        "renews": request.renews.ref if request.renews else None,
        "amends": request.amends.ref if request.amends else None,
        "society": said_of(request.society),
        "licensee": said_of(request.licensee),
        "tariff": {
            "ref": request.tariff.ref,
            "name": request.tariff.name,
            "version": version.version,
            "sha256": version.sha256,
            "status": version.status,
        },
        "uses": list(request.uses),
        "kinds": list(request.kinds),
        "territory": list(request.territory),
        "models": list(request.ai_models),
        "datasets": list(request.datasets),
        "term": term_said(request.term.lower, request.term.upper),
        "tier": quote.tier,
        "quote": {
            "amount": quote.amount,
            "currency": quote.currency,
            "quantities": quote.quantities,
            "bases": quote.bases,
            "explanation_sha256": rating_digest(quote.rating),
            "issued_on": timezone.localdate(quote.issued_at).isoformat(),
        },
        "conditions": conditions.as_data(),
        "terms": {
            "ref": terms.ref,
            "version": terms.version,
            "sha256": terms.sha256,
            "name": terms.name,
            "name_ko": terms.name_ko,
        },
        "clauses": {
            language: [{"heading": heading, "text": text} for heading, text in clauses_in(terms, conditions, language)]
            for language in LANGUAGES
        },
    }


def digest(said: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON (RFC 8785): the same for everybody who holds the data."""
    return hashlib.sha256(rfc8785.dumps(dict(said))).hexdigest()


def clauses_in(terms: StandardTerms, conditions: Conditions, language: str) -> list[tuple[str, str]]:
    """Heading and text of the clauses that hold under these conditions, with the conditions filled in."""
    return clauses.filled(terms.clauses, conditions, language)


def pdf_of(agreement: Mapping[str, Any], language: str) -> bytes:
    """The agreement as it is laid before both sides, in `ko` or `en`."""
    with override(language):
        data = _data(agreement, language)
    return pdf(TEMPLATE, data, datetime.date.fromisoformat(agreement["quote"]["issued_on"]))


def signed_copy(offer: Offer, language: str, certificate: tuple[str, str] | None = None) -> bytes:
    """The same agreement with both signatures; `certificate` is its code and public address."""
    signatures = list(offer.signatures.select_related("user").order_by("signed_at", "id"))
    with override(language):
        data = _data(offer.agreement, language, signatures, certificate)
    return pdf(TEMPLATE, data, timezone.localdate(signatures[-1].signed_at if signatures else offer.made_at))


def said_of(organisation: Organisation) -> dict[str, str]:
    return {
        "ref": organisation.ref,
        "name": organisation.name,
        "name_ko": organisation.name_ko,
        "country": organisation.country,
    }


def term_said(since: datetime.date, until: datetime.date | None) -> dict[str, str | None]:
    return {"from": since.isoformat(), "to": until.isoformat() if until else None}


def _data(
    agreement: Mapping[str, Any],
    language: str,
    signatures: Sequence[Signature] = (),
    certificate: tuple[str, str] | None = None,
) -> dict[str, Any]:
    sha256 = digest(agreement)
    society, licensee = wording.party(agreement["society"]), wording.party(agreement["licensee"])
    parts = [
        {"title": _("Parties"), "rows": _parties(agreement)},
        {"title": _("What is licensed"), "rows": _scope(agreement)},
        {"title": _("Price"), "rows": _price(agreement)},
    ]
    if signatures and certificate:
        rows = [[_("Certificate"), certificate[0]], [_("Anyone can check it here"), certificate[1]]]
        parts.append({"title": _("Certificate"), "rows": rows})
    for part in parts:
        part["rows"] = [[label, breakable(text)] for label, text in part["rows"]]
    terms = agreement["terms"]
    named = {"name": wording.party(terms), "version": terms["version"], "sha256": terms["sha256"]}
    return {
        "language": language,
        "title": _("Licence agreement: signed copy") if signatures else _("Licence agreement"),
        "lead": breakable(_("between %(society)s and %(licensee)s") % {"society": society, "licensee": licensee}),
        "society": society,
        "parts": parts,
        "clauses_title": wording.party(terms),
        "clauses_note": _("%(name)s, version %(version)s (SHA-256 %(sha256)s)") % named,
        "clauses": [
            {"heading": clause["heading"], "paragraphs": clause["text"].split("\n")}
            for clause in agreement["clauses"][language]
        ],
        "signatures_title": _("Signatures"),
        "signatures": [_signed(signature) for signature in signatures],
        "digest_label": _("What is signed: SHA-256 of this agreement as data"),
        "sha256": sha256,
        "closing": _(
            "Both sides sign this digest. It is that of the agreement as canonical JSON (RFC 8785), from which the "
            "English and the Korean document are both made; it changes with every change of the agreement."
        ),
        "footer": f"{agreement['request']} · {sha256[:16]}",
    }


def _parties(agreement: Mapping[str, Any]) -> list[list[str]]:
    labels = (("society", _("Society")), ("licensee", _("Licensee")))
    parties = ((label, agreement[key]) for key, label in labels)
    return [[label, f"{wording.party(said)} ({said['ref']}, {said['country']})"] for label, said in parties]


def _scope(agreement: Mapping[str, Any]) -> list[list[str]]:
    rows = [
        [_("Uses"), wording.codes(agreement["uses"])],
        [_("Kinds of work"), wording.codes(agreement["kinds"])],
        [_("Territory"), wording.places(agreement["territory"])],
        [_("Models"), wording.names(agreement["models"])],
        [_("Datasets"), wording.names(agreement["datasets"])],
        [_("First day"), wording.day(agreement["term"]["from"])],
        [_("Last day"), wording.last_day(agreement["term"]["to"])],
    ]
    if agreement["standing_offer"]:
        rows.append([_("Taken from the standing offer"), agreement["standing_offer"]["ref"]])
    for key, label in (("renews", _("Renews the licence")), ("amends", _("Replaces the licence"))):
        if agreement[key]:
            rows.append([label, agreement[key]])
    return rows


def _price(agreement: Mapping[str, Any]) -> list[list[str]]:
    tariff, quote = agreement["tariff"], agreement["quote"]
    version = _("%(name)s (%(ref)s), version %(version)s") % tariff
    rows = [[_("Tariff"), version]]
    if tariff["status"] == "interim":
        rows.append([_("State"), _("in force for the time being: what is determined later replaces it")])
    rows.append([_("Digest of the tariff"), f"SHA-256 {tariff['sha256']}"])
    if agreement["tier"]:
        rows.append([_("Tier"), agreement["tier"]])
    rows += [[_("Expected use"), Quantity(**each).said()] for each in quote["quantities"]]
    rows += [[_("Declared base"), f"{name}: {count:,}"] for name, count in sorted(quote["bases"].items())]
    rows.append([_("Price of a billing period"), wording.money(quote["amount"], quote["currency"])])
    rows.append([_("Worked out on"), wording.day(quote["issued_on"])])
    rows.append([_("Digest of the calculation"), f"SHA-256 {quote['explanation_sha256']}"])
    return rows


def _signed(signature: Signature) -> dict[str, Any]:
    rows = [
        [_("In the capacity of"), signature.capacity],
        [_("Account"), str(signature.user)],
        [_("Signed"), wording.moment(signature.signed_at)],
        [_("Language read"), _("Korean") if signature.language == "ko" else _("English")],
        [_("Digest signed"), f"SHA-256 {signature.sha256}"],
    ]
    side = _("For the society") if signature.side == Signature.Side.SOCIETY else _("For the licensee")
    return {
        "side": side,
        "name": breakable(signature.typed_name),
        "rows": [[label, breakable(text)] for label, text in rows if text],
    }


def breakable(text: str) -> str:
    """With places to break a line in words that are longer than a line may be."""
    return _LONG.sub(lambda found: "\u200b".join(re.findall(r"\S{1,24}", found[0])), text)
