"""Gradient flow of any loss: the same path, another clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.dynamics import LayerDynamics
from flbook._dynamics.flow_state import FlowState
from flbook._dynamics.initial import Initial
from flbook._dynamics.loss_path import End, Pull, Start, rest, walk
from flbook._dynamics.loss_state import LossState
from flbook._dynamics.losses import Loss, criterion
from flbook._model.gram import Gram
from flbook._model.network import Network
from flbook._model.task import Task, on_a_line
from flbook._support.arrays import FloatArray
from flbook._support.checks import times

__all__ = ["LossFlow"]


@dataclass(frozen=True, eq=False, init=False)
class LossFlow(LayerDynamics):
    """Training by any loss in continuous time: dv/dt = −K(v) Φ(v), Φ = E[a ∂ℓ/∂f(va, y)].

    Imbalance and determinant are frozen and the kernel is K = √((2γηv)² + K_min²), as with the
    squared error, so a network passes through the same states, one for each slope; the loss decides
    how fast and where it stops.

    Parameters
    ----------
    network : Network
        As for `GradientFlow`.
    loss : {"squared", "logistic", "exponential", "huber"} or object
        ½(f − y)²; ln(1 + exp(−yf)) and exp(−yf) for labels ±1; ½(f − y)² that goes on straight
        where f is more than 1 from y. Or any object with ``value(f, y)`` and ``derivative(f, y)``
        by f, for arrays, the derivative continuous in f. Kept as `criterion`.
    x : array_like, shape (n,) or (n, D)
        Inputs on one line through the origin, as for `Task.from_data`.
    y : array_like, shape (n,)
        Labels.
    gram : Gram
        The start; kept as `start`.

    Attributes
    ----------
    task : Task
        The moments of the data.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not of its kind, labels do not suit the loss, shapes do not fit, or (in
        the methods) a time is negative or not a number.
    RuntimeError
        If the integrator (LSODA of `scipy.integrate.solve_ivp`) gives up.

    Notes
    -----
    Every method takes times of any shape, infinity included, and answers with an array of shape
    `shape` + `t.shape`; all networks are integrated together, as one equation each. To ask several
    quantities at the same times, ask for the state once: ``now = flow.at(t)``.

    At t = ∞ the flow stands at the first zero of Φ downhill of the start (`optimum`), in the state
    in which the squared error with that target would end; a start on the wrong side of the saddle
    ends at v = 0 as there. Where the loss falls for ever (separable data) slope and kernel grow for
    ever: the limits are ±∞, and ±1 for the alignments. A loss that is not convex may have several
    zeros, and a pair of them closer together than a tenth of the way from the start may be
    overlooked.

    Examples
    --------
    >>> from flbook import Gram, LossFlow, Network
    >>> flow = LossFlow(Network(2), "logistic", [1.0, 2.0, -1.0], [1, 1, 1], Gram(1.0, 0.0, 1.0))
    >>> now = flow.at([0.0, 1.0, float("inf")])
    >>> print(now.slope.round(6), now.kernel.round(6), now.loss.round(6))
    [0.       0.435885 0.756308] [2.       2.181739 2.507589] [0.693147 0.594273 0.575045]
    """

    criterion: Loss
    x: FloatArray
    y: FloatArray
    _pull: Pull = field(compare=False, repr=False)

    def __init__(
        self, network: Network, loss: str | Loss, x: ArrayLike, y: ArrayLike, gram: Gram
    ) -> None:
        a, labels = on_a_line(x, y)
        super().__init__(network, Task.from_data(a, labels), gram)
        chosen = criterion(loss, a, labels)
        pull = Pull(chosen, a, labels, convex=isinstance(loss, str))
        inputs = np.array(x, dtype=np.float64)
        inputs.flags.writeable = False
        fields = {"criterion": chosen, "x": inputs, "y": labels, "_pull": pull}
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @cached_property
    def optimum(self) -> FloatArray:
        """The slope where the loss stops falling, downhill of the start; ±∞ if it never does."""
        slope = np.broadcast_to(self._initial(0).slope, self.shape)
        return rest(self._pull, slope.reshape(-1)).reshape(self.shape)[()]

    def at(self, t: ArrayLike) -> LossState:
        """Return the state at t, computed once; its arrays have shape `shape` + `t.shape`."""
        t = times(t)
        points, back = np.unique(t, return_inverse=True)
        finite, end = points[np.isfinite(points)], self._end
        start = Start.of(self._initial(0), self.shape)
        row = Start(*(column.reshape(-1) for column in start))
        push = walk(self._pull, row, end.settled.reshape(-1), finite)
        slope = Start(*(column[:, None] for column in row)).slope_at(push)
        if finite.size < points.size:
            slope = np.column_stack([slope, end.slope.reshape(-1)])
            push = np.column_stack([push, end.push.reshape(-1)])
        shape, order = self.shape + t.shape, back.reshape(-1)
        slope, push = slope[:, order].reshape(shape), push[:, order].reshape(shape)
        return LossState(self._initial(t.ndim), t[()], self._pull, slope, push)

    @cached_property
    def _end(self) -> End:
        optimum = np.broadcast_to(self.optimum, self.shape)
        aim = np.where(np.isinf(optimum), np.copysign(1.0, optimum), optimum)
        initial = Initial(self.network, Task(1.0, aim, aim * aim), self.start)
        last = FlowState(initial, np.asarray(np.inf)[()], self.shape)
        return End.of(initial, last, optimum, self._pull)

    def residual(self, t: ArrayLike) -> FloatArray:
        """Return E[a ∂ℓ/∂f(va, y)]/E[a²], in place of v − v*: dv/dt = −mK times it for any loss."""
        return self.at(t).residual

    def loss(self, t: ArrayLike) -> FloatArray:
        """Return L(t) = E[ℓ(va, y)]."""
        return self.at(t).loss
