"""What minibatches and label noise do to the layers, derived from the moments of a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import dawsn

from flbook._dynamics.batches import refuse_larger
from flbook._model.network import Network
from flbook._model.task import Task, on_a_line
from flbook._support.arrays import FloatArray, ValueObject, broadcast_shape
from flbook._support.checks import instance, one_of, one_real, one_whole, real

__all__ = ["GradientNoise", "mean_log"]

# So many different batches are looked at one by one.
MOST_BATCHES = 20_000
# Heights of the floor at which its speed is taken, on the way down.
HEIGHTS = 1001
# Where the noise is this much smaller than the mean, its logarithm is smooth.
SMOOTH = 8.0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)
NORMAL, LIKELY = np.polynomial.hermite_e.hermegauss(64)


@dataclass(frozen=True, eq=False)
class GradientNoise(ValueObject):
    """The noise in the gradient of `StochasticDescent`, and what follows from it.

    A step on a batch of moments m_B, c_B turns the layers by h = γη(m_B v − c_B); it multiplies Δ
    by 1 − h² and D by (1 − h²)². The batches are those that `StochasticDescent` draws. Learning
    rates, and with them the kernel, are those of one step.

    Parameters
    ----------
    x, y, batch_size, label_noise
        As for `StochasticDescent`.

    Examples
    --------
    >>> import numpy as np
    >>> from flbook import GradientNoise, Network
    >>> x = np.linspace(-1, 1, 11)
    >>> noise = GradientNoise(x, 2 * x, label_noise=1.0)
    >>> network = Network(100, gamma=0.1, eta_u=0.5, eta_w=0.5)
    >>> print(noise.erosion(network, kernel=1.0).round(6))
    0.001553
    >>> print(noise.steps_to_sink(network, 1.0, 0.2).round())
    1298.0
    """

    x: FloatArray
    y: FloatArray
    batch_size: int = 1
    label_noise: float = 0.0

    def __post_init__(self) -> None:
        x, y = on_a_line(self.x, self.y)
        size = one_whole("batch_size", self.batch_size)
        refuse_larger(size, x.size)
        noise = one_real("label_noise", self.label_noise, at_least=0)
        for name, value in (("x", x), ("y", y), ("batch_size", size), ("label_noise", noise)):
            object.__setattr__(self, name, value)

    @cached_property
    def task(self) -> Task:
        """The moments of all examples."""
        return Task.from_data(self.x, self.y)

    @cached_property
    def _unseen(self) -> float:
        """What the variance of a mean loses because a batch holds no example twice."""
        count = self.x.size
        return (count - self.batch_size) / max(count - 1, 1)

    @cached_property
    def square(self) -> float:
        """E[m_B²]."""
        m = float(self.task.second_moment)
        return m * m + float(np.var(self.x**2)) * self._unseen / self.batch_size

    @cached_property
    def pull(self) -> float:
        """E[(m_B v* − c_B)²], the variance of the gradient of v at the target."""
        m = float(self.task.second_moment)
        left = self.y - self.task.target * self.x
        between = float(np.mean((self.x * left) ** 2)) * self._unseen
        return (between + m * self.label_noise**2) / self.batch_size

    def _slack(self, kernel: ArrayLike) -> FloatArray:
        """Return 1 − K E[m_B²]/(2m), and 0 where no stationary state is left."""
        kernel = np.asarray(real("kernel", kernel, at_least=0))
        return np.maximum(1 - kernel * self.square / (2 * self.task.second_moment), 0.0)

    def erosion(self, network: Network, kernel: ArrayLike) -> FloatArray:
        """Return E[h²] once training has settled at this kernel.

        It is γ²η² E[(m_B v* − c_B)²] / (1 − K E[m_B²]/(2m)), to leading order in h: what ln|Δ|,
        ln K_min and ½ ln D lose per step. Infinite where the error cannot settle. (With a bounded
        h the exact loss is E[−ln|1 − h²|].)
        """
        instance("network", network, Network)
        broadcast_shape(network=network.shape, kernel=np.shape(kernel))
        return _over(_turn(network) ** 2 * self.pull, self._slack(kernel))

    def fluctuation(self, kernel: ArrayLike) -> FloatArray:
        """Return E[(v − v*)²] once training has settled at this kernel, to the same order.

        It is K E[(m_B v* − c_B)²] / (2m − K E[m_B²]).
        """
        spread = np.asarray(kernel) * self.pull / (2 * self.task.second_moment)
        return _over(spread, self._slack(kernel))

    def steps_to_sink(self, network: Network, start: ArrayLike, end: ArrayLike) -> FloatArray:
        """Return how many steps K_min takes from `start` down to `end`, with v settled at v*.

        It is ∫ dln K_min / E[h²], with K² = (2γηv*)² + K_min² at every height.
        """
        instance("network", network, Network)
        start, end = real("start", start, above=0), real("end", end, above=0)
        broadcast_shape(network=network.shape, start=np.shape(start), end=np.shape(end))
        turn = _turn(network)
        signal = 2 * turn * self.task.target
        part = np.linspace(0.0, 1.0, HEIGHTS)
        depth = np.log(start) - np.log(end)
        floor = np.asarray(start)[..., None] * np.exp(-np.asarray(depth)[..., None] * part)
        slack = self._slack(np.hypot(np.asarray(signal)[..., None], floor))
        free = np.trapezoid(slack, part, axis=-1) * depth
        return _over(free, turn**2 * self.pull)

    def growth(self, network: Network, mode: str = "p") -> FloatArray:
        """Return E ln|1 + γηc_B| for mode "p", E ln|1 − γηc_B| for mode "q".

        By this the logarithms of |p| and |q| move per step near the origin, where v is small. With
        a positive target p rises, unless the noise is so strong that this is negative.
        """
        instance("network", network, Network)
        sign = {"p": 1.0, "q": -1.0}[one_of("mode", mode, ("p", "q"))]
        turn = _turn(network)[..., None]
        moment, cross = self._batches
        spread = self.label_noise * np.sqrt(moment / self.batch_size)
        return np.mean(mean_log(1 + sign * turn * cross, turn * spread), axis=-1)[()]

    @cached_property
    def _batches(self) -> tuple[FloatArray, FloatArray]:
        """The moments of every possible batch, without label noise."""
        count, size = self.x.size, self.batch_size
        if math.comb(count, size) > MOST_BATCHES:
            raise ValueError(
                f"batch_size must leave at most {MOST_BATCHES} different batches for this, got "
                f"{math.comb(count, size)} of {size} examples out of {count}"
            )
        chosen = np.array(list(combinations(range(count), size)))
        x, y = self.x[chosen], self.y[chosen]
        return np.mean(x * x, axis=1), np.mean(x * y, axis=1)


def _turn(network: Network) -> FloatArray:
    """Return γη, by which the gradient of v turns the layers."""
    eta = np.sqrt(np.asarray(network.eta_u)) * np.sqrt(network.eta_w)
    return np.asarray(network.gamma * eta)


def mean_log(mean: ArrayLike, deviation: ArrayLike) -> FloatArray:
    """Return E ln|X| of normal numbers X; −∞ for a number that is 0 for sure.

    With r = mean/deviation it is ln(deviation) − ½(γ_E + ln 2) + √2 ∫₀ʳ F(t/√2) dt, where F is
    Dawson's integral.

    Examples
    --------
    >>> print(mean_log([1.0, 0.0], [0.0, 1.0]).round(6))
    [ 0.       -0.635181]
    """
    mean, deviation = np.broadcast_arrays(np.abs(mean), np.asarray(deviation, dtype=np.float64))
    smooth = mean > SMOOTH * deviation
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.where(smooth, deviation / mean, 0.0)[..., None] * NORMAL
        calm = np.log(mean) + np.log1p(np.maximum(near, -2 - near)) @ LIKELY / LIKELY.sum()
        far = np.where(smooth, 0.0, mean / deviation)[..., None]
        area = far[..., 0] / 2 * (dawsn(far * (NODES + 1) / 2**1.5) @ WEIGHTS)
        wild = np.log(deviation) - (np.euler_gamma + np.log(2)) / 2 + np.sqrt(2) * area
    still = (mean == 0) & (deviation == 0)
    return np.where(still, -np.inf, np.where(smooth, calm, wild))


def _over(top: ArrayLike, bottom: ArrayLike) -> FloatArray:
    """Return a quotient of numbers of at least 0: 0 over anything is 0, else over 0 infinite."""
    top, bottom = np.broadcast_arrays(np.asarray(top, dtype=np.float64), bottom)
    infinite = np.where(top > 0, np.inf, 0.0)
    return np.divide(top, bottom, out=infinite, where=bottom > 0)[()]
