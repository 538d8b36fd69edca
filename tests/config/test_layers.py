"""The floors hold: imports, foreign keys and reverse names go down only."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from django.apps import apps
from django.db.models import ForeignObject, Model

from tests.processes import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
LAYERS = {contract["id"]: contract.get("layers") for contract in PROJECT["tool"]["importlinter"]["contracts"]}
APPS = LAYERS["apps"]


def floor(module: str) -> tuple[int, int]:
    """How high a module lies: its app's floor and its slice's; larger is higher."""
    app, slice_, *_ = [*module.split("."), ""]
    slices = [name for name in LAYERS[app] if slice_ == name]
    return -APPS.index(app), -LAYERS[app].index(slices[0]) if slices else 0


def own_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in APPS[1:]]


def test_imports_go_down_only() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo"], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_model_lives_in_a_slice_that_has_a_floor() -> None:
    assert own_models()
    for model in own_models():
        app, slice_, *_ = model.__module__.split(".")
        assert slice_ in LAYERS[app], f"{model.__module__}.{model.__name__}: {slice_} is no slice of {app}"
        assert model._meta.app_label == app


def test_foreign_keys_point_down() -> None:
    for model in own_models():
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignObject):
                continue
            target = field.remote_field.model.__module__
            if target.split(".")[0] in APPS:
                assert floor(target) <= floor(model.__module__), f"{model.__name__}.{field.name} points up to {target}"


def test_a_lower_slice_does_not_see_the_higher_one_by_a_reverse_name() -> None:
    for model in own_models():
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignObject):
                continue
            target = field.remote_field.model.__module__
            if target.split(".")[0] in APPS and target.split(".")[:2] != model.__module__.split(".")[:2]:
                assert field.remote_field.hidden, f"{model.__name__}.{field.name} crosses slices: related_name='+'"


def test_no_slice_imports_its_apps_face() -> None:
    for app in APPS[1:]:
        for path in (CHECKOUT / app).glob("*/**/*.py"):
            if "migrations" not in path.parts:
                assert f"from {app}.models import" not in path.read_text(), path


def test_no_signals_of_django() -> None:
    for app in APPS[1:]:
        for path in (CHECKOUT / app).rglob("*.py"):
            assert "django.db.models.signals" not in path.read_text(), f"{path}: the upper floor pulls"
