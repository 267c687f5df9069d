import { everyKnob } from "./every_knob.js";
import { initialScale } from "./initial_scale.js";
import { neuronPlane } from "./neuron_plane.js";

/** Every explorer by the name that its figure carries. */
export const explorers = Object.fromEntries([initialScale, neuronPlane, everyKnob].map((explorer) => [explorer.name, explorer]));
