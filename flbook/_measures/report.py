"""What a check-up says: its mechanism, its advice, its table, its report."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from flbook._measures import knob
from flbook._measures.table import Table

__all__ = ["advice", "mechanism", "table", "text"]

MECHANISMS = {
    "kernel": "the kernel hardly changed: the network learned as the linear model at its start",
    "alignment": "it learned by alignment: consecutive layers turned towards each other",
    "disalignment": "it learned by disalignment: consecutive layers turned away from each other",
    "rescaling": "it learned by rescaling: its layers changed size more than direction",
    "turning": "its kernel turned more than it changed size; which layers did it cannot be seen",
}


def mechanism(result: Any) -> str:
    """Return the name of the mechanism; see `Checkup.mechanism`."""
    if result.verdict == "lazy":
        return "kernel"
    if result.alignment:
        # a layer that starts at zero has no direction yet: chance stands for it
        turn = sum(_log(pair.after) - _log(pair.before or pair.chance) for pair in result.alignment)
        stretch = sum(_log(pair.growth) for pair in result.alignment)
        if abs(stretch) >= abs(turn):
            return "rescaling"
        return "alignment" if turn > 0 else "disalignment"
    angle = math.acos(max(-1.0, 1 - result.kernel_rotation))
    return "rescaling" if abs(_log(result.kernel_growth)) >= angle else "turning"


def advice(result: Any) -> tuple[str, ...]:
    """Return sentences on what the numbers mean; see `Checkup.advice`."""
    return tuple(_advice(result))


def _advice(result: Any) -> Iterator[str]:
    grown, turned = result.kernel_growth, result.kernel_rotation
    yield (
        f"{MECHANISMS[mechanism(result)]} "
        f"(kernel size ×{grown:.3g}, direction 1 − cos {turned:.2g})"
    )
    if result.distance is None:
        yield (
            f"the outputs at the start are {1 / result.output_change:.2g} times their change, and "
            "the output scale enlarges both: how far the boundary is, f − f₀ would tell"
        )
    else:
        yield knob_sentence(result.distance, result.largest.linearisation_error)
    if 1 - result.kernel_rotation > 0.99 and abs(grown - 1) > 0.1:
        yield "the direction of the kernel alone would hide this change: look at its size too"
    largest = result.largest.linearisation_error
    if largest > 2 * result.linearisation_error:
        yield f"on the way the linearisation error was as large as {largest:.2g}"


def knob_sentence(distance: float, error: float) -> str:
    """Say where the boundary of the rich regime is, in factors of the output scale of f − f₀."""
    tried = knob.TRIED[0] <= error <= knob.TRIED[1]
    within = f"within a factor of {knob.UNCERTAINTY:g}" if tried else "untried so far away"
    if math.isinf(distance):
        return "to leave the rich regime multiply f − f₀, by more than this ruler reads"
    if distance >= 1:
        return (
            f"to leave the rich regime multiply f − f₀ by about {distance:.2g} ({within}), and "
            "divide the learning rates by the square of that"
        )
    return (
        f"to enter the rich regime divide f − f₀ by about {1 / distance:.2g} ({within}), and "
        "multiply the learning rates by the square of that"
    )


def table(result: Any) -> Table:
    """Return the rows of all weights; see `Checkup.table`."""
    below = {pair.lower: pair for pair in result.alignment}
    names = dict.fromkeys([*result.weight_change, *result.feature_change, *below])
    return Table(
        tuple(
            {
                "layer": name,
                "weight_change": result.weight_change.get(name),
                "feature_change": result.feature_change.get(name),
                "coordinate_change": result.coordinate_change.get(name),
                "alignment_before": below[name].before if name in below else None,
                "alignment_after": below[name].after if name in below else None,
                "alignment_by_chance": below[name].chance if name in below else None,
            }
            for name in names
        )
    )


def text(result: Any) -> str:
    """Return the report, at most 15 lines."""
    return "\n".join(_lines(result))


def _lines(result: Any) -> Iterator[str]:
    yield f"Check-up on {result.points} inputs: {result.verdict}"
    limits = f"lazy to {knob.LAZY_ERROR:.2g}, rich from {knob.RICH_ERROR:.2g}"
    yield f"  linearisation error  {result.linearisation_error:.3g} ({limits})"
    yield (
        f"  kernel change        {result.kernel_change:.3g}: size ×{result.kernel_growth:.3g}, "
        f"direction 1 − cos {result.kernel_rotation:.2g}"
    )
    for title, changes in (("weights", result.weight_change), ("features", result.feature_change)):
        if changes:
            most = max(changes, key=lambda name: (math.isfinite(changes[name]), changes[name]))
            least = min(changes.values())
            yield f"  {title + ' moved':<21}{least:.2g} to {changes[most]:.2g} ({most})"
    if result.alignment:
        pair = max(result.alignment, key=lambda p: abs(_log(p.after) - _log(p.before)))
        yield (
            f"  alignment            {pair.before:.2g} → {pair.after:.2g}, by chance "
            f"{pair.chance:.2g} ({pair.lower}, {pair.upper})"
        )
    if result.label_alignment is not None:
        before, after, chance = result.label_alignment
        yield f"  kernel and labels    {before:.2g} → {after:.2g}, by chance {chance:.2g}"
    for sentence in result.advice[:4]:
        yield f"  {sentence}"
    for doubt in result.doubts[:2]:
        yield f"  in doubt: {doubt}"
    if len(result.doubts) > 2:
        yield f"  and {len(result.doubts) - 2} more doubts"


def _log(value: float) -> float:
    """Return a logarithm that stays finite, and is 0 where nothing can be said."""
    return math.log(value) if 0 < value < math.inf else 0.0
