"""The tables of licences, from a firm's request to the signed contract and its certificate."""

from licensing.licences.models.licences import Licence
from licensing.licences.models.offers import Certificate, Offer, OfferDocument, Signature, StandingOffer
from licensing.licences.models.requests import LicenceRequest, Quote, RequestFile
from licensing.licences.models.terms import StandardTerms

__all__ = [
    "Certificate",
    "Licence",
    "LicenceRequest",
    "Offer",
    "OfferDocument",
    "Quote",
    "RequestFile",
    "Signature",
    "StandardTerms",
    "StandingOffer",
]
