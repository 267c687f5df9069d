"""Where tasks run: here, in processes that joblib starts, or on a cluster that joblib knows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from joblib.parallel import get_active_backend

__all__ = ["WorkerDied", "completed", "number_of_workers"]

Task = Callable[[Any], Any]


class WorkerDied:
    """In place of an outcome: the processes that ran the task died, or one that ran beside it."""


def _pinned(task: Task, argument: Any, threads: int) -> Any:
    """Run a task where XLA, like the BLAS, which joblib sees to, may use only some threads.

    XLA reads both variables once, when it first computes.
    """
    os.environ["NPROC"] = str(threads)
    if threads == 1:
        flag = "--xla_cpu_multi_thread_eigen=false"
        flags = os.environ.get("XLA_FLAGS", "")
        if flag not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} {flag}".strip()
    return task(argument)


def number_of_workers(workers: int | None, tasks: int) -> int:
    """Return how many processes of this machine are worth starting: one for each core at most."""
    wanted = workers if workers is not None else joblib.cpu_count()
    return max(1, min(wanted, tasks))


def completed(task: Task, arguments: list[Any], workers: int | None) -> Iterator[tuple[int, Any]]:
    """Yield the place of each argument and ``task(argument)``, in the order in which they end.

    Inside ``joblib.parallel_config("dask")``, or another backend, the tasks run there, and
    `workers` is the cluster's own; otherwise in processes of this machine, with one worker in this
    one. Where a process died, `WorkerDied` stands for what it had been given; with joblib's
    processes also for all that had not been handed out yet.
    """
    backend: Any = get_active_backend()[0]
    if type(backend).__name__ == "DaskDistributedBackend":
        return _on_dask(backend.client, task, arguments)
    local = type(backend).__name__ == "LokyBackend"
    if local and workers == 1:
        return ((place, task(argument)) for place, argument in enumerate(arguments))
    return _by_joblib(task, arguments, workers, local)


def _by_joblib(
    task: Task, arguments: list[Any], workers: int | None, local: bool
) -> Iterator[tuple[int, Any]]:
    threads = max(1, joblib.cpu_count() // number_of_workers(workers, len(arguments)))

    def work(place: int, argument: Any) -> tuple[int, Any]:
        return place, _pinned(task, argument, threads) if local else task(argument)

    # One task in a pool of two: joblib would run it in this process if the pool had one.
    n_jobs = max(2, number_of_workers(workers, len(arguments))) if local else workers or -1
    one: Any = 1  # a point a batch, which joblib annotates as text
    pool: Any = joblib.Parallel(
        n_jobs=n_jobs, batch_size=one, pre_dispatch="n_jobs", return_as="generator_unordered"
    )
    handed_out: list[int] = []

    def tasks() -> Iterator[Any]:
        for place, argument in enumerate(arguments):
            handed_out.append(place)
            yield joblib.delayed(work)(place, argument)

    done = set()
    try:
        for place, outcome in pool(tasks()):
            done.add(place)
            yield place, outcome
    except TerminatedWorkerError:
        for place in handed_out:
            if place not in done:
                yield place, WorkerDied()


def _on_dask(client: Any, task: Task, arguments: list[Any]) -> Iterator[tuple[int, Any]]:
    """Use the client of joblib's backend itself.

    joblib 1.6 waits for ever for a task that Dask has given up (``KilledWorker``), and holds on to
    every result, so that a dead worker makes Dask compute again what has long been counted.
    """
    from dask.distributed import as_completed
    from distributed.scheduler import KilledWorker

    futures = client.map(task, arguments, pure=False)
    places = {future.key: place for place, future in enumerate(futures)}
    waiting = as_completed(futures, with_results=True, raise_errors=False)
    del futures
    try:
        for future, outcome in waiting:
            place = places[future.key]
            failed = future.status == "error"
            future.release()
            if not failed:
                yield place, outcome
            elif isinstance(outcome[1], KilledWorker):
                yield place, WorkerDied()
            else:
                raise outcome[1]
    finally:
        waiting.clear()
