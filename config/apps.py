"""The `config` application: commands, templates, and the Celery application that the slices' tasks belong to."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import celery  # noqa: F401  # `@shared_task` finds the application by this import
