import { everyKnob } from "./every_knob.js";
import { halfPlane } from "./half_plane.js";
import { initialScale } from "./initial_scale.js";
import { kernelDrift } from "./kernel_drift.js";
import { neuronPlane } from "./neuron_plane.js";
import { phaseDiagram } from "./phase_diagram.js";

/** Every explorer by the name that its figure carries. */
export const explorers = Object.fromEntries([initialScale, neuronPlane, everyKnob, kernelDrift, halfPlane, phaseDiagram].map((explorer) => [explorer.name, explorer]));
