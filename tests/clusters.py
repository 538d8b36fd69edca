"""A real Spark cluster for tests: a standalone master and two workers, processes of their own on loopback.

It is started once a run, and only by `make test-spark`, which sets TEST_SPARK: the ordinary suite starts no JVM.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import pytest
from django.conf import settings

from tests.processes import wait_until

WORKERS = 2
_HEAPS = "spark.driver.memory=768m;spark.executor.memory=512m"
_QUICK = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # seconds of many small plans: optimising them costs more than it gives
)
_LOOPBACK = "spark.driver.host=127.0.0.1;spark.driver.bindAddress=127.0.0.1"
_SMALL = f"spark.cores.max={WORKERS};spark.executor.cores=1;spark.sql.shuffle.partitions=2;spark.locality.wait=0"
_JAVA = f"spark.driver.extraJavaOptions={_QUICK};spark.executor.extraJavaOptions={_QUICK}"


def _ready() -> None:
    """Skips the test in the ordinary suite; where Spark is asked for, what is missing fails it."""
    if not os.environ.get("TEST_SPARK"):
        pytest.skip("Apache Spark is tested by `make test-spark`")
    if find_spec("pyspark") is None:
        pytest.fail("pyspark is not installed: `make test-spark` installs it")
    if not shutil.which("java"):
        pytest.fail("no Java: install a JRE, 17 or later (Debian: default-jre-headless)")


@dataclass(frozen=True)
class Cluster:
    """Where its master listens, and the folder that its workers see."""

    master: str
    shared: Path
    conf: str = f"{_HEAPS};{_LOOPBACK};{_SMALL};{_JAVA}"


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    _ready()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jeongsan-spark-")))
        log = folder / "master.log"
        options = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        stack.callback(_end, _start("org.apache.spark.deploy.master.Master", options, log))
        found = wait_until(
            lambda: re.search(r"Starting Spark master at (spark://\S+)", log.read_text()), 60, "a master"
        )
        for n in range(WORKERS):
            work = ("--work-dir", str(folder / f"worker-{n}"), "--cores", "1", "--memory", "1g", found[1])
            worker = _start("org.apache.spark.deploy.worker.Worker", (*options, *work), folder / f"worker-{n}.log")
            stack.callback(_end, worker)
        wait_until(lambda: log.read_text().count("Registering worker") == WORKERS, 60, "workers")
        shared = folder / "shared"
        shared.mkdir()
        yield Cluster(found[1], shared)


@pytest.fixture
def on_spark(spark_cluster: Cluster, _application: Any, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Whatever asks for an engine in this test is given the cluster."""
    _set(monkeypatch, spark_cluster)
    monkeypatch.setattr(settings, "ENGINE", "spark")
    return spark_cluster


@pytest.fixture
def spark(spark_cluster: Cluster, _application: Any, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The cluster is there for whoever chooses it; the installation's engine stays DuckDB."""
    _set(monkeypatch, spark_cluster)
    return spark_cluster


@pytest.fixture(scope="session")
def _application(spark_cluster: Cluster) -> Iterator[None]:
    """Stay on the cluster between tests: an application takes seconds to start."""
    from licensing.engine import spark

    with pytest.MonkeyPatch.context() as patch:
        _set(patch, spark_cluster)
        with spark.connect():
            yield


def _set(patch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    patch.setattr(settings, "SPARK_MASTER", cluster.master)
    patch.setattr(settings, "SPARK_SHARED", str(cluster.shared))
    patch.setattr(settings, "SPARK_CONF", cluster.conf)


def _start(role: str, options: tuple[str, ...], log: Path) -> subprocess.Popen[bytes]:
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = os.environ | {"SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_IP": "127.0.0.1"}
    environment |= {"SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false", "SPARK_DAEMON_JAVA_OPTS": _QUICK}
    out: IO[bytes]
    with log.open("wb") as out:
        return subprocess.Popen(
            [home / "bin" / "spark-class", role, *options],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the tests, which end it in their order
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
