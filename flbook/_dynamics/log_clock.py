"""One number for each network, integrated for all of them together, as far as one likes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
from scipy.integrate import solve_ivp

from flbook._support.arrays import FloatArray

__all__ = ["ENOUGH", "integrate"]

TOLERANCE = 1e-13
# A rest that is approached at a rate is reached after so many times 1/rate.
ENOUGH = 40.0
MOST_CALLS = 50_000


def integrate(
    force: Callable[[FloatArray], FloatArray],
    unit: FloatArray,
    settled: FloatArray,
    t: FloatArray,
) -> FloatArray:
    """Return ψ of dψ/dt = force(ψ), ψ(0) = 0, at finite increasing times: (networks, times).

    The clock is ln(1 + t/τ) with the shortest first time τ of all networks, and `unit` is what of ψ
    begins to matter. From the time `settled` on (at least `ENOUGH` relaxation times have passed)
    the own time of a network goes on no faster than that. No force is 0 at the start.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones(1)
    >>> print(integrate(lambda x: 1 - x, one, 40 * one, np.array([0.0, 1.0, 1e300])).round(9))
    [[0.         0.63212056 1.        ]]
    """
    if not t.any():
        return np.zeros((unit.size, t.size))
    log_unit, latest = np.log(unit), np.log(settled)
    first = np.log(np.abs(force(np.zeros(unit.size))))
    log_tau = np.min(np.minimum(log_unit - first, latest - np.log(ENOUGH)))
    with np.errstate(divide="ignore"):
        clock = np.logaddexp(0.0, np.log(t) - log_tau)
    calls = count()

    def velocity(now: float, way: FloatArray) -> FloatArray:
        if next(calls) == MOST_CALLS:
            raise RuntimeError(
                f"the integrator has asked for the force {MOST_CALLS} times and is not through: "
                "is the derivative of the loss continuous?"
            )
        push = force(unit * way)
        with np.errstate(divide="ignore"):
            log_push = np.log(np.abs(push))
        return np.sign(push) * np.exp(np.minimum(now + log_tau, latest) + log_push - log_unit)

    run = solve_ivp(
        velocity,
        (0.0, clock[-1]),
        np.zeros(unit.size),
        method="LSODA",
        t_eval=clock,
        rtol=TOLERANCE,
        atol=TOLERANCE,
        lband=0,
        uband=0,
    )
    if not run.success:
        raise RuntimeError(
            f"the integrator stopped after {len(run.t)} of {t.size} times: {run.message} "
            "(is the derivative of the loss continuous?)"
        )
    return unit[:, None] * run.y
