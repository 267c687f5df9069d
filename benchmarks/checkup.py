"""What a check-up costs: against full Jacobians of every input, and layer-wise Gram products.

Run ``python benchmarks/checkup.py``. A 784-1024-1024-10 ReLU network in JAX, 64 probe inputs. Each
runs in a process of its own, one after the other, so that each peak of memory is its own. The
peers make one kernel; the check-up makes two, and everything else that it says.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np

SIZES = (784, 1024, 1024, 10)
INPUTS = 64


def network() -> tuple[list, list, np.ndarray]:
    """Return weights before and after some made-up training, and inputs."""
    rng = np.random.default_rng(0)
    before = [
        rng.normal(size=(a, b)).astype(np.float32) / np.float32(np.sqrt(a))
        for a, b in pairwise(SIZES)
    ]
    after = [w + np.float32(0.01) * rng.normal(size=w.shape).astype(np.float32) for w in before]
    return before, after, rng.normal(size=(INPUTS, SIZES[0])).astype(np.float32)


def model(weights, x):
    """Return the outputs of the network."""
    import jax

    for w in weights[:-1]:
        x = jax.nn.relu(x @ w)
    return x @ weights[-1]


def check_up() -> object:
    """Run the whole check-up, compilation included."""
    import flbook as fl

    before, after, x = network()
    return fl.checkup(before, after, x, f=model).kernel_change


def check_up_all() -> object:
    """Run it for every one of the ten outputs."""
    import flbook as fl

    before, after, x = network()
    return fl.checkup(before, after, x, f=model, outputs="all").kernel_change


def jacobians() -> object:
    """Make one kernel from the Jacobians of all inputs and outputs at once."""
    import jax
    import jax.numpy as jnp

    before, _, x = network()
    each = jax.vmap(jax.jacrev(lambda w, one: model(w, one[None])[0]), (None, 0))
    blocks = jax.jit(each)(before, x)
    flat = [jnp.reshape(b, (INPUTS * SIZES[-1], -1)) for b in blocks]
    return sum(b @ b.T for b in flat).block_until_ready()


def layer_products() -> object:
    """Make one kernel by layer-wise Gram products, for a network that is known to be an MLP."""
    before, _, x = network()
    hidden = [x]
    for w in before[:-1]:
        hidden.append(np.maximum(hidden[-1] @ w, 0))
    back = np.broadcast_to(np.eye(SIZES[-1], dtype=np.float32), (INPUTS, SIZES[-1], SIZES[-1]))
    kernel = np.zeros((INPUTS * SIZES[-1],) * 2)
    for w, h in zip(reversed(before), reversed(hidden), strict=True):
        flat = back.reshape(INPUTS * SIZES[-1], -1)
        kernel += (flat @ flat.T) * np.kron(h @ h.T, np.ones((SIZES[-1],) * 2))
        back = (back @ w.T) * (h > 0)[:, None, :]
    return kernel


SIDES = {
    "check-up": check_up,
    "check-up of all outputs": check_up_all,
    "layer-wise Gram products": layer_products,
    "full Jacobians": jacobians,
}


def main() -> int:
    """Run all, or one of them if it is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=SIDES)
    options = parser.parse_args()
    if options.only:
        if options.only != "layer-wise Gram products":
            import jax.numpy as jnp

            jnp.zeros(1).block_until_ready()
        start = time.perf_counter()
        SIDES[options.only]()
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{options.only:<26}{seconds:8.2f} s{peak:8.2f} GB", flush=True)
        return 0
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}; {SIZES}, {INPUTS} inputs")
    for name in SIDES:
        subprocess.run([sys.executable, __file__, "--only", name], check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
