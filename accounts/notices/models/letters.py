"""Letters: mail to an address that has no account."""

from __future__ import annotations

from django.db import models


class Letter(models.Model):
    """One message to an e-mail address. `key` makes sending it twice impossible; `mailed_at` tells when it was mailed.

    Whoever has an account gets a notice instead. A letter is personal data: it is deleted some weeks after it went out.
    """

    email = models.EmailField()
    language = models.CharField(max_length=2)
    key = models.CharField(max_length=120, unique=True)
    subject = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    link = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "accounts"
        indexes = [
            models.Index(fields=["id"], condition=models.Q(mailed_at=None), name="letter_to_mail"),
            models.Index(fields=["mailed_at"], name="letter_by_age"),
        ]

    def __str__(self) -> str:
        return self.subject
