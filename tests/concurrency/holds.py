"""Stop whoever works on the database at a chosen point, without clocks and without hooks in the product.

A trigger of the test's own, in the test's own database, waits at the point for a lock that the test holds. So a test
can kill a process exactly there, or let a second one run against the first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import psycopg
from django.db import connection

from accounts.identity.core import Refusal
from tests.processes import Running, wait_until

_keys = itertools.count(0x484F4C44)
_FUNCTION = """
    CREATE OR REPLACE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint);
      RETURN coalesce(NEW, OLD);
    END $$"""


class Hold:
    """Holds everybody who reaches a point, until it lets go.

    `point` is what a trigger may say: `BEFORE UPDATE ON run FOR EACH ROW WHEN (…)`. With `at_commit` the point is the
    end of the transaction: the COMMIT is sent, and takes effect once the hold lets go.
    """

    def __init__(self, url: str, point: str, *, at_commit: bool = False) -> None:
        self.key = next(_keys)
        self.session = psycopg.connect(url, autocommit=True)
        self.session.execute("SELECT pg_advisory_lock(%s)", [self.key])
        self.session.execute(_FUNCTION)
        event, _, rest = point.partition(" FOR EACH ")
        kind, deferred = ("CONSTRAINT TRIGGER", "DEFERRABLE INITIALLY DEFERRED") if at_commit else ("TRIGGER", "")
        # The first of its kind by name, so that it waits before others act.
        self.session.execute(
            f"CREATE {kind} a_hold_{self.key} {event} {deferred} FOR EACH {rest} "
            f"EXECUTE FUNCTION wait_for_the_test({self.key})"
        )

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.session.close()  # with it goes the lock

    def held(self) -> list[int]:
        """The sessions that wait at the point."""
        waiting = """SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
            WHERE l.locktype = 'advisory' AND NOT l.granted AND l.objid = %s AND d.datname = current_database()"""
        return [pid for (pid,) in self.session.execute(waiting, [self.key])]

    def behind(self) -> list[int]:
        """The sessions that wait for one that waits at the point."""
        blocked = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pg_blocking_pids(pid) && %s::int[]"
        )
        return [pid for (pid,) in self.session.execute(blocked, [self.held()])]

    def reached(self, process: Running | None = None) -> None:
        """Wait until somebody is at the point."""
        (process.wait_until if process else wait_until)(self.held, what="somebody reached the point")

    def queued(self, process: Running | None = None) -> None:
        """Wait until somebody waits for the one at the point."""
        (process.wait_until if process else wait_until)(self.behind, what="the second waits for the first")

    def let_go(self) -> None:
        self.session.execute("SELECT pg_advisory_unlock(%s)", [self.key])

    def kill(self, process: Running) -> None:
        """`kill -9` the process at the point; returns once the database has noticed and cleared up."""
        self.reached(process)
        sessions = self.held()
        process.kill9()
        self.let_go()
        alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (%s)"
        wait_until(lambda: self.session.execute(alive, [sessions]).fetchone() == (0,), what="its sessions ended")


class Aside:
    """Runs acts beside the test, each in a thread and a connection of its own."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(8)

    def __enter__(self) -> Aside:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()

    def begin(self, act: Callable[[], Any]) -> Future[Any]:
        """Start it; the future's result is the act's own, or the refusal or error that it met."""
        return self.pool.submit(_alone, act)


def _alone(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Exception as error:
        return error
    finally:
        connection.close()


def race(held: Hold, aside: Aside, *acts: Callable[[], Any]) -> tuple[Any, Any]:
    """Two at once: the second (or the same again) comes while the first is in the middle."""
    first = aside.begin(acts[0])
    held.reached()
    second = aside.begin(acts[-1])
    held.queued()
    held.let_go()
    return first.result(), second.result()


def code(outcome: Any) -> str:
    """The code of a refusal, "done" for a result; anything else was a crash and is raised."""
    if isinstance(outcome, Refusal):
        return outcome.code
    if isinstance(outcome, Exception):
        raise outcome
    return "done"
