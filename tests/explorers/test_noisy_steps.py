"""The noise of the explorer of noisy steps: the same anywhere, and as good as random."""

import noisy_steps
import numpy as np
import pytest
from scipy import stats

from flbook.explorers import step_draws


@pytest.mark.parametrize("path", [0, 1, 4, 5000])
def test_the_draws_are_those_of_their_description(path):
    index, noise = step_draws(300, path)
    one_by_one = [noisy_steps.step(n, path) for n in range(1, 301)]
    assert index[:, 0].tolist() == [example for example, _ in one_by_one]
    np.testing.assert_allclose(noise[:, 0], [draw for _, draw in one_by_one], rtol=1e-12)


def test_the_noise_is_normal_and_forgets():
    paths = [step_draws(10_000, path) for path in range(5)]
    index, noise = (np.concatenate(column, axis=1) for column in zip(*paths, strict=True))
    assert stats.kstest(noise.ravel(), "norm").pvalue > 0.01
    assert abs(index.mean() - 0.5) < 0.01
    # within a path, between paths, and between the example and its noise
    draws = np.concatenate([noise, index - 0.5], axis=1)
    together = np.corrcoef(draws.T) - np.eye(10)
    assert abs(together).max() < 0.05
    for lag in (1, 2, 3, 7, 64, 1024):
        for column in draws.T:
            assert abs(np.corrcoef(column[lag:], column[:-lag])[0, 1]) < 0.05


@pytest.mark.parametrize(
    ("steps", "path", "named"), [(0, 0, "steps"), (2.5, 0, "steps"), (3, -1, "path")]
)
def test_bad_counts_are_refused(steps, path, named):
    with pytest.raises((TypeError, ValueError), match=f"{named} must be"):
        step_draws(steps, path)
