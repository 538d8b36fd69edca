"""`import_mandates FILE --society REF`"""

from config.imports import ImportCommand
from licensing.permissions.services.importing import import_mandates


class Command(ImportCommand):
    help = "Import a mandates file: new rows are added, known ones updated, bad ones reported with their numbers."
    service = staticmethod(import_mandates)
