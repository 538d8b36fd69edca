"""The `config` application: commands, templates, and the Celery application that the slices' tasks belong to."""

from django.apps import AppConfig
from django.utils.translation import gettext

from accounts.identity.core import speak_with


class Config(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import celery  # noqa: F401  # `@shared_task` finds the application by this import

        speak_with(gettext)
