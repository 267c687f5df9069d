"""The same on a real Dask cluster of two processes, with no change of code."""

from __future__ import annotations

import logging
import os

import joblib
import pytest
import toys
from test_run import GRID, SQUARES, check_failures, dying, without_marker

from flbook.sweeps import Grid, SweepError, run

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL"),
]


@pytest.fixture(scope="module")
def cluster():
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        yield cluster


def test_dask_gives_the_same_table_though_a_worker_is_killed(cluster, tmp_path):
    on_dask = run(toys.draw_but_die_once, dying(tmp_path, "dask"))
    assert (tmp_path / "dask").exists()
    with joblib.parallel_config("loky"):
        serial = run(toys.draw, GRID, workers=1)
        parallel = run(toys.draw, GRID, workers=2)
    assert without_marker(on_dask) == serial.rows == parallel.rows


def test_the_points_run_in_the_processes_of_the_cluster(cluster):
    client = distributed.get_client()
    client.wait_for_workers(2)
    before = client.run(os.getpid)
    result = run(toys.where, Grid(number=range(4)))
    # the successor of a worker that was killed may have come in between
    pids = {*before.values(), *client.run(os.getpid).values()}
    assert set(result.column("pid").tolist()) <= pids - {os.getpid()}


def test_a_point_that_kills_its_worker_every_time_is_named_and_the_others_kept(cluster, tmp_path):
    with pytest.raises(SweepError) as caught:
        run(toys.square, SQUARES, folder=tmp_path)
    check_failures(caught.value, deadly=3, wrong=7)
    assert len(list(tmp_path.glob("*.json"))) == 8
