"""Tell the demo: the main job on the data that the project ships."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from config.commands import Command as JeongsanCommand
from config.demo import summary
from config.demo.story import Story


class Command(JeongsanCommand):
    help = "Run the main job on the shipped data, from repertoire and declaration to statements."

    def handle(self, *args: Any, as_json: bool = False, **options: Any) -> None:
        self.say = self.stderr.write if as_json else self.stdout.write  # standard output is the JSON's alone
        super().handle(*args, as_json=as_json, **options)

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.perf_counter()
        folder = settings.VAR_DIR / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        story = Story(folder, self.say, partial(_keep_password, folder / "sign-ins.txt"))
        told = story.tell()
        return told | {"seconds": story.seconds, "total_seconds": round(time.perf_counter() - started, 1)}

    def text(self, result: dict[str, Any]) -> str:
        folder = settings.VAR_DIR / "demo"
        sign_ins = folder / "sign-ins.txt"
        ends = [
            "",
            f"Sign-ins for `make serve` (address and password): {sign_ins}",
            sign_ins.read_text(encoding="utf-8").rstrip()
            if sign_ins.exists()
            else "  gone: set new ones with changepassword",
            "",
            f"Done in {result['total_seconds']} s.",
        ]
        return "\n".join([*summary.lines(result, folder), *ends])

    def status(self, result: dict[str, Any]) -> int:
        run = result["run"]
        parts = run["reserve"] + run["payable"] + run["held"] + run["suspense"] + sum(run["deductions"].values())
        sound = result["verified"]["ok"] and result["permission"]["receipt_valid"]
        return 0 if sound and parts == run["pool"] else 1


def _keep_password(path: Path, email: str, password: str) -> None:
    """Passwords are made by chance, once, and kept where only this user reads them."""
    path.touch(mode=0o600)
    os.chmod(path, 0o600)
    kept = dict(line.split() for line in path.read_text(encoding="utf-8").splitlines()) | {email: password}
    path.write_text("".join(f"  {who:<34}{secret}\n" for who, secret in kept.items()), encoding="utf-8")
