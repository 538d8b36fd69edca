"""The face of the app: names its slices' models, so that Django finds them."""

from licensing.declarations.models import Declaration, DeclarationFile, DeclaredUse
from licensing.intake.models import Import, StoredFile
from licensing.licences.models import Licence
from licensing.permissions.models import DirectLicence, Mandate
from licensing.repertoire.models import Holder, Identifier, RepertoireRevision, Representation, Share, Work
from licensing.tariffs.models import Tariff, TariffVersion

__all__ = [
    "Declaration",
    "DeclarationFile",
    "DeclaredUse",
    "DirectLicence",
    "Holder",
    "Identifier",
    "Import",
    "Licence",
    "Mandate",
    "RepertoireRevision",
    "Representation",
    "Share",
    "StoredFile",
    "Tariff",
    "TariffVersion",
    "Work",
]
