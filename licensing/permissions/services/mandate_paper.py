"""The receipt of a signed mandate as PDF: worded here, laid out by `receipt.typ`, as that of a reservation."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.identity.paper import pdf
from licensing import labels
from licensing.permissions import wording
from licensing.permissions.models import MandateSignature
from licensing.permissions.services.reservation_paper import TEMPLATE, exact


def receipt(signature: MandateSignature, language: str, link: str) -> bytes:
    """The PDF in `ko` or `en`: the same bytes as long as nothing happens to the mandate."""
    with override(language):
        data = _data(signature, language, link)
    return pdf(TEMPLATE, data, timezone.localdate(signature.signed_at))


def _data(signature: MandateSignature, language: str, link: str) -> dict[str, Any]:
    mandate, terms = signature.mandate, signature.terms
    text = terms.text_ko if signature.language == "ko" and terms.text_ko else terms.text
    number = _("mandate %(number)s") % {"number": mandate.pk}
    return {
        "language": language,
        "title": _("Receipt of a mandate"),
        "lead": wording.uses_said(mandate.uses),
        "society": str(mandate.society),
        "ref": number,
        "notice": _ended(signature),
        "received_label": _("Signed"),
        "received": exact(signature.signed_at),
        "parts": [
            {
                "title": _("What is allowed"),
                "rows": [
                    [_("Use"), wording.uses_said(mandate.uses)],
                    [_("Kinds of work"), ", ".join(labels.label(kind) for kind in mandate.kinds)],
                    [_("Where"), wording.territory_said(mandate.territory)],
                    [_("First day"), mandate.valid.lower.isoformat()],
                    [_("Given to"), str(mandate.society)],
                ],
            },
            {
                "title": _("Who signed"),
                "rows": [
                    [_("Member"), f"{mandate.holder} ({mandate.holder.ref})"],
                    [_("Name as typed"), signature.typed_name],
                    [_("Account"), str(signature.user)],
                ],
            },
            {
                "title": _("The terms that were signed"),
                "rows": [
                    [_("Version"), f"{terms.version}, {terms.valid_from.isoformat()}"],
                    [_("Digest of the document"), f"SHA-256 {signature.document_sha256}"],
                    [_("Text"), text],
                ],
            },
        ],
        "next_title": _("What happens next"),
        "next": [
            _("Your society may license this use, and pays you your share of what it brings."),
            _("You can take the mandate back at any time, with the notice of the terms: %(link)s") % {"link": link},
        ],
        "footer": f"{mandate.society} · {number}",
        "closing": _(
            "The digest is that of the document that was signed: the terms and who signed what. Keep this receipt; the "
            "document itself can be had on the same page, and its digest checked."
        ),
    }


def _ended(signature: MandateSignature) -> str:
    until = signature.mandate.valid.upper
    return _("This mandate ends: the first day without it is %(day)s.") % {"day": until.isoformat()} if until else ""
