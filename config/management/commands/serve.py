"""`manage.py serve`: the portals with all that they need, under one command."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.organisations.models import Organisation
from config import embedded
from config.supervisor import Supervisor


class Command(BaseCommand):
    help = "Serve the portals on loopback: web, worker, beat, database and broker. Ctrl-C stops all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--threads", type=int, default=8, help="requests served at once")

    def handle(self, *args: Any, host: str, port: int, threads: int, **options: Any) -> None:
        _check_free(host, port)
        call_command("migrate", interactive=False, verbosity=0)
        embedded.ensure_redis(settings.REDIS_URL)
        if not Organisation.objects.exists():
            self.stdout.write("The database is empty. Run `make demo` first to have something to look at.")
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
        supervisor = Supervisor(self._say)
        env = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
            # Celery warns of root in case that messages are pickles; here they are JSON only.
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        }
        if settings.SITE_URL == settings.LOCAL_SITE:  # so that links in e-mails lead to where it is served
            env["SITE_URL"] = f"http://{host}:{port}"
        web = ("--bind", f"{host}:{port}", "--worker-class", "gthread", "--threads", str(threads), "--timeout", "120")
        supervisor.start("web", _module("gunicorn", "config.wsgi:application", *web, "--log-level", "warning"), env)
        supervisor.start("worker", _celery("worker"), env)
        schedule = str(Path(settings.VAR_DIR) / "beat-schedule")
        supervisor.start("beat", _celery("beat", "--schedule", schedule, "--pidfile", ""), env)
        announced = False

        def announce() -> None:
            nonlocal announced
            if not announced and _answers(host, port):
                announced = True
                self._say(f"Serving on http://{host}:{port}/  (Ctrl-C stops everything)")

        status = supervisor.watch(announce)
        self._release()
        if status:
            sys.exit(status)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _release(self) -> None:
        """Wait for the embedded services, so that nothing runs any more when the command has ended."""
        from django.db import connections

        connections.close_all()
        for service in embedded.services(Path(settings.VAR_DIR)):
            if embedded.is_running(service) and not embedded.release(service):
                self._say(f"{service.title} stays up: another process uses it.")


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _celery(*arguments: str) -> list[str]:
    return _module("celery", "--quiet", "--app", "config.celery", *arguments, "--loglevel", "WARNING")


def _answers(host: str, port: int) -> bool:
    with socket.socket() as session:
        session.settimeout(1)
        return session.connect_ex((host, port)) == 0


def _check_free(host: str, port: int) -> None:
    with socket.socket() as session:
        session.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            session.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"{host}:{port} cannot be used: {error.strerror}. Choose another with --port."
            ) from error
