"""`import_holders FILE --society REF`"""

from config.imports import ImportCommand
from licensing.repertoire.services import import_holders


class Command(ImportCommand):
    help = "Import a holders file: new rows are added, known ones updated, bad ones reported with their numbers."
    service = staticmethod(import_holders)
