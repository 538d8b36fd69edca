"""The face of the app: names its slices' models, so that Django finds them."""

from licensing.compliance.models import Case, CaseScan, CaseUse, CompensationTerms, ReservationNotice
from licensing.declarations.models import Declaration, DeclarationFile, DeclaredUse
from licensing.intake.models import Import, StoredFile
from licensing.licences.models import Licence
from licensing.permissions.models import (
    BulkCheck,
    DirectLicence,
    FoundSignal,
    Mandate,
    MandateSignature,
    MandateTerms,
    Reservation,
    Site,
    StatutoryScheme,
)
from licensing.repertoire.models import (
    Application,
    Holder,
    Identifier,
    Registration,
    RegistrationShare,
    RepertoireRevision,
    Representation,
    Share,
    Work,
)
from licensing.tariffs.models import Tariff, TariffVersion

__all__ = [
    "Application",
    "BulkCheck",
    "Case",
    "CaseScan",
    "CaseUse",
    "CompensationTerms",
    "Declaration",
    "DeclarationFile",
    "DeclaredUse",
    "DirectLicence",
    "FoundSignal",
    "Holder",
    "Identifier",
    "Import",
    "Licence",
    "Mandate",
    "MandateSignature",
    "MandateTerms",
    "Registration",
    "RegistrationShare",
    "RepertoireRevision",
    "Representation",
    "Reservation",
    "ReservationNotice",
    "Share",
    "Site",
    "StatutoryScheme",
    "StoredFile",
    "Tariff",
    "TariffVersion",
    "Work",
]
