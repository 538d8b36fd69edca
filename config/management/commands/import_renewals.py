"""`import_renewals FILE --society REF`"""

from config.imports import ImportCommand
from licensing.repertoire.services import import_renewals


class Command(ImportCommand):
    help = "Import renewed books of the Catalog of Copyright Entries, with their claimants in equal parts."
    service = staticmethod(import_renewals)
