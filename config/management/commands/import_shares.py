"""`import_shares FILE --society REF`"""

from config.imports import ImportCommand
from licensing.repertoire.services import import_shares


class Command(ImportCommand):
    help = "Import a shares file: new rows are added, known ones updated, bad ones reported with their numbers."
    service = staticmethod(import_shares)
