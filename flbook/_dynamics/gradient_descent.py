"""Gradient descent in discrete steps, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flbook._dynamics.descent import Descent
from flbook._dynamics.step_map import StepMap, StepState
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task
from flbook._support.arrays import Progress
from flbook._support.checks import one_whole

__all__ = ["GradientDescent"]


@dataclass(frozen=True, eq=False, init=False)
class GradientDescent(Descent):
    """Training by full-batch steps, exactly, at any width.

    One step with h = γηm(v − v*), where η² = η_u η_w and the learning rates are those of one step,
    multiplies the modes p, q = (u/√η_u ± w/√η_w)/√2 of every neuron by 1 − h and 1 + h::

        K = ½(P + Q),   P ← (1 − h)²P,   Q ← (1 + h)²Q        (P = K + 2γηv, Q = K − 2γηv)
        Δ ← (1 − h²)Δ,  D ← (1 − h²)²D,  v − v* ← (v − v*)(1 − mK + (γηm)²(v − v*)v)

    Parameters
    ----------
    network, task, gram
        As for `GradientFlow`.
    limit_steps : int, default 1_000_000
        How many steps t = ∞ may take to settle.
    progress : callable, optional
        Called as ``progress(steps_done, steps_wanted)`` about ten times a second in a long descent.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not of its class, shapes do not broadcast, or (in the methods) t is not
        made of whole numbers, or is ∞ where no limit is reached in `limit_steps` steps.

    Notes
    -----
    Every method takes step counts of any shape, infinity included, and answers with an array of
    shape `shape` + `t.shape`. The states visited are kept, so that a further question costs only
    the steps not yet taken, also after an interrupted call.

    A descent that diverges ends in infinities, never in NaN: slope and residual become ±∞ when
    they leave the range of doubles, and the alignments stay as they were, which is their limit.

    The model is that of Xu & Ziyin, arXiv:2401.07085 (2024).

    Examples
    --------
    >>> from flbook import GradientDescent, Gram, Network, Task
    >>> descent = GradientDescent(
    ...     Network(2, eta_u=0.1, eta_w=0.1), Task(1.0, 2.0, 4.0), Gram(uu=1.0, uw=0.0, ww=1.0)
    ... )
    >>> print(descent.slope([0, 1, 10, float("inf")]).round(6))
    [0.       0.4      1.966542 2.      ]
    >>> print(descent.determinant([0, float("inf")]).round(6))
    [1.       0.819659]
    """

    limit_steps: int = 1_000_000

    def __init__(
        self,
        network: Network,
        task: Task,
        gram: Gram,
        *,
        limit_steps: int = 1_000_000,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(network, task, gram)
        object.__setattr__(self, "limit_steps", one_whole("limit_steps", limit_steps))
        self._follow(StepMap(self._initial(0), self.shape), progress)

    def _state(self, step: float) -> StepState:
        if step < np.inf:
            return super()._state(step)
        step_map, most = self._map, self.limit_steps
        state = self._history.advance(
            step_map, most, self._reporter(), lambda now: bool(np.all(step_map.limit(now)[1]))
        )
        end, reached = step_map.limit(state)
        if not np.all(reached):
            first = tuple(int(i) for i in np.argwhere(~np.asarray(reached))[0])
            which = f"the network at index {first}" if first else "the network"
            raise ValueError(
                f"t must be finite here, got inf: {which} has not settled in "
                f"limit_steps = {most} steps (it may cycle, which no limit can describe)"
            )
        return end
