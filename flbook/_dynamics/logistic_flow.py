"""Gradient flow in the limit of vanishing initialisation: the logistic curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flbook._dynamics.dynamics import LayerDynamics
from flbook._dynamics.flow_state import FlowState
from flbook._dynamics.initial import Initial, Vanishing
from flbook._support.checks import times

__all__ = ["LogisticFlow"]


@dataclass(frozen=True, eq=False, init=False)
class LogisticFlow(LayerDynamics):
    """Training from the same slope with no floor under the kernel, K_min = 0: K = 2γη|v|.

    On the target's side v(t) = v*/(1 + (v*/v(0) − 1) exp(−2mγηv*t)); on the other side of the
    saddle v decays to 0. Parameters, errors and shapes are those of `GradientFlow`; the start
    counts with its slope alone, as if its layers were balanced and aligned.

    Examples
    --------
    >>> import numpy as np
    >>> from flbook import Gram, LogisticFlow, Network, Task
    >>> limit = LogisticFlow(Network(2), Task(1.0, 1.0, 1.0), Gram(1.0, 0.01, 1.0))
    >>> print(limit.slope(2.0).round(12), (1 / (1 + 99 * np.exp(-4))).round(12))
    0.355460987137 0.355460987137
    """

    def at(self, t: ArrayLike) -> FlowState:
        """Return the state at t, computed once; its arrays have shape `shape` + `t.shape`."""
        t = times(t)[()]
        return FlowState(self._initial(np.ndim(t)), t, self.shape)

    def _start_from(self, axes: int) -> Initial:
        return Vanishing(self.network, self.task, self.start, axes)
