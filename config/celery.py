"""The Celery application: what is worked on outside a request, and under which promises.

Every task is safe to run twice. A message is acknowledged after the work (`acks_late`), so a killed worker loses none;
the broker hands it out again after the visibility timeout, and beat's `resume_stalled` picks stuck work up sooner,
from the state that the database shows.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, worker_init
from django.conf import settings
from kombu.connection import Connection

from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

MINUTE = 60
HARD_LIMIT = 60 * MINUTE  # a task is killed
SOFT_LIMIT = 55 * MINUTE  # a task gets SoftTimeLimitExceeded and may end in order
TASKS = (
    "accounts.access.tasks",
    "accounts.notices.tasks",
    "licensing.claims.tasks",
    "licensing.compliance.tasks",
    "licensing.declarations.tasks",
    "licensing.disputes.tasks",
    "licensing.licences.tasks",
    "licensing.permissions.tasks",
    "licensing.repertoire.tasks",
    "licensing.tariffs.tasks",
    "royalties.billing.tasks",
    "royalties.distribution.tasks",
    "royalties.payouts.tasks",
    "royalties.outstanding.tasks",
    "royalties.statements.tasks",
)
BEAT = {
    # What a killed worker left, from the state that the database shows.
    "resume stalled declarations": {"task": "licensing.declarations.tasks.resume_stalled", "schedule": MINUTE},
    "resume stalled imports": {"task": "licensing.permissions.tasks.resume_stalled", "schedule": MINUTE},
    "resume stalled checks": {"task": "licensing.permissions.tasks.resume_stalled_checks", "schedule": MINUTE},
    "resume stalled runs": {"task": "royalties.distribution.tasks.resume_stalled", "schedule": MINUTE},
    "resume stalled publications": {"task": "royalties.statements.tasks.resume_stalled", "schedule": MINUTE},
    "resume archives of statements": {"task": "royalties.statements.tasks.resume_archives", "schedule": 5 * MINUTE},
    "resume stalled payouts": {"task": "royalties.payouts.tasks.resume_stalled", "schedule": 5 * MINUTE},
    "apply bank entries to payouts": {"task": "royalties.payouts.tasks.apply_entries", "schedule": 10 * MINUTE},
    "send notices by mail": {"task": "accounts.notices.tasks.send_mail", "schedule": MINUTE},
    "deliver webhooks": {"task": "accounts.notices.tasks.deliver_webhooks", "schedule": MINUTE},
    "read sites that are due": {"task": "licensing.permissions.tasks.read_due_sites", "schedule": MINUTE},
    # What upper floors pull from lower ones.
    "tell of reservations": {"task": "licensing.compliance.tasks.tell_reservations", "schedule": 2 * MINUTE},
    "refresh the queue of unmatched uses": {"task": "licensing.claims.tasks.refresh", "schedule": 2 * MINUTE},
    "seek what unmatched uses may be": {
        "task": "licensing.claims.tasks.seek_candidates",
        "schedule": 5 * MINUTE,
    },
    "find conflicting shares": {"task": "licensing.disputes.tasks.find", "schedule": 5 * MINUTE},
    "remind of conflicting shares": {
        "task": "licensing.disputes.tasks.remind",
        "schedule": crontab(hour="8", minute="25"),
    },
    "open cases": {"task": "licensing.compliance.tasks.open_cases", "schedule": 2 * MINUTE},
    "remind of notices": {"task": "licensing.compliance.tasks.remind", "schedule": crontab(hour="8", minute="20")},
    # Housekeeping.
    "expire licences": {"task": "licensing.licences.expire_due", "schedule": crontab(hour="0", minute="5")},
    "lapse offers": {"task": "licensing.licences.tasks.lapse_offers", "schedule": crontab(hour="0", minute="10")},
    "remind of renewals": {
        "task": "licensing.licences.tasks.remind_of_renewals",
        "schedule": crontab(hour="8", minute="40"),
    },
    "finish uploads": {"task": "licensing.declarations.tasks.resume_uploads", "schedule": MINUTE},
    "let go of old uploads": {
        "task": "licensing.declarations.tasks.sweep_uploads",
        "schedule": crontab(minute="50"),
    },
    "keep duties to report": {"task": "licensing.declarations.tasks.keep_duties", "schedule": 2 * MINUTE},
    "remind of reports": {
        "task": "licensing.declarations.tasks.remind_of_duties",
        "schedule": crontab(hour="8", minute="40"),
    },
    "tell of overdue reports": {
        "task": "licensing.declarations.tasks.tell_overdue_duties",
        "schedule": crontab(hour="8", minute="50", day_of_week="mon"),
    },
    "remind of reservations": {
        "task": "licensing.permissions.tasks.remind_of_reservations",
        "schedule": crontab(hour="8", minute="30"),
    },
    "tell licensees of rates": {"task": "licensing.licences.tasks.tell_of_rates", "schedule": 10 * MINUTE},
    "remind of rates": {"task": "licensing.tariffs.tasks.remind", "schedule": crontab(hour="8", minute="10")},
    "forget unconfirmed comments": {
        "task": "licensing.tariffs.tasks.forget_unconfirmed",
        "schedule": crontab(hour="3", minute="35"),
    },
    # Billing, after licences have expired for the day.
    "issue advances": {"task": "royalties.billing.issue_advances", "schedule": crontab(hour="6", minute="10")},
    "remind of unpaid invoices": {
        "task": "royalties.billing.remind_unpaid",
        "schedule": crontab(hour="8", minute="40"),
    },
    "apply bank entries": {"task": "royalties.billing.match_entries", "schedule": 5 * MINUTE},
    "resume licences that have paid": {
        "task": "royalties.billing.resume_paid",
        "schedule": crontab(hour="0", minute="45"),
    },
    "warn of money that expires": {
        "task": "royalties.outstanding.tasks.warn",
        "schedule": crontab(hour="7", minute="40"),
    },
    "forget what is old": {"task": "accounts.access.tasks.forget_old", "schedule": crontab(minute="15")},
    "delete identity documents": {
        "task": "licensing.repertoire.tasks.let_go_of_identities",
        "schedule": crontab(minute="40"),
    },
    "forget old messages": {
        "task": "accounts.notices.tasks.forget_messages",
        "schedule": crontab(hour="3", minute="25"),
    },
}


class Jeongsan(Celery):
    """Starts the embedded broker before a connection to it is made."""

    def connection_for_read(self, url: str | None = None, **kwargs: Any) -> Connection:
        embedded.ensure_redis(settings.REDIS_URL)
        return super().connection_for_read(url, **kwargs)

    def connection_for_write(self, url: str | None = None, **kwargs: Any) -> Connection:
        embedded.ensure_redis(settings.REDIS_URL)
        return super().connection_for_write(url, **kwargs)


def broker_url(redis_url: str) -> str:
    """Kombu's spelling of a Redis URL: `unix:///path` is `redis+socket:///path` there."""
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


app = Jeongsan("jeongsan")
app.conf.update(
    broker_url=broker_url(settings.REDIS_URL),
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        # Longer than any task may run: a message must not be handed out while its task still works.
        "visibility_timeout": HARD_LIMIT + 10 * MINUTE,
        "unacked_restore_throttle": 1,  # look for such messages every 10 s rather than every 100 s
    },
    result_backend=None,  # outcomes are rows with a state, in the database
    task_ignore_result=True,
    accept_content=["json"],
    task_serializer="json",
    task_default_queue="jeongsan",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=HARD_LIMIT,
    task_soft_time_limit=SOFT_LIMIT,
    task_track_started=False,
    worker_concurrency=2,
    worker_prefetch_multiplier=1,
    worker_max_memory_per_child=2_000_000,  # KiB; checked after each task
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    timezone=settings.TIME_ZONE,  # the days of the schedule are Seoul's
    imports=TASKS,
    beat_schedule=BEAT,
    beat_schedule_filename=str(settings.VAR_DIR / "beat-schedule"),
)


@worker_init.connect
@beat_init.connect
def _lease_services(**_: Any) -> None:
    """Keep the embedded database for as long as the worker lives, not only while one of its children is connected."""
    database = settings.DATABASES["default"]
    if "EMBEDDED" in database:
        embedded.ensure_postgres(Path(database["EMBEDDED"]))
