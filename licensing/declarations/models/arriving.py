"""What is announced of a declaration's files before they arrive."""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, OuterRef, Q

from licensing.declarations.models.declarations import Declaration, DeclarationFile


class AnnouncedQuerySet(models.QuerySet["AnnouncedFile"]):
    def missing(self) -> AnnouncedQuerySet:
        """Those whose file has not arrived."""
        there = DeclarationFile.objects.filter(declaration=OuterRef("declaration"), path=OuterRef("path"))
        return self.filter(~Exists(there))


class AnnouncedFile(models.Model):
    """One line of a declaration's manifest: a file that will come, its size and its SHA-256.

    As long as one of them is missing the declaration is neither processed nor handed in. What arrives must be one of
    them, to the byte. A caller that cannot hash a file beforehand (a browser) leaves the digest out.
    """

    declaration = models.ForeignKey(Declaration, models.CASCADE, related_name="announced")
    position = models.PositiveIntegerField()
    path = models.CharField(max_length=500)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)

    objects = AnnouncedQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["declaration", "path"], name="file_is_announced_once_in_a_declaration"),
            models.UniqueConstraint(
                fields=["declaration", "sha256"],
                condition=~Q(sha256=""),
                name="bytes_are_announced_once_in_a_declaration",
            ),
            models.CheckConstraint(condition=Q(size__gte=1) & ~Q(path=""), name="announced_file_has_a_path_and_a_size"),
        ]

    def __str__(self) -> str:
        return self.path
