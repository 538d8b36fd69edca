"""What the settings name must exist: routes, kinds, task modules."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.conf import settings
from django.urls import reverse

from config.celery import TASKS, app


@pytest.mark.parametrize("kind,route", settings.OBJECT_ROUTES.items())
def test_each_object_has_its_page(kind: str, route: str) -> None:
    assert reverse(route, args=["7"]).endswith("/7/"), kind


@pytest.mark.parametrize("module", TASKS)
def test_each_task_module_is_there(module: str) -> None:
    import_module(module)


def test_beat_calls_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    for name, entry in app.conf.beat_schedule.items():
        assert entry["task"] in app.tasks, name
