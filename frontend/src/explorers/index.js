import { anyLoss } from "./any_loss.js";
import { ensemble } from "./ensemble.js";
import { everyKnob } from "./every_knob.js";
import { halfPlane } from "./half_plane.js";
import { initialScale } from "./initial_scale.js";
import { kernelDrift } from "./kernel_drift.js";
import { knob } from "./knob.js";
import { neuronPlane } from "./neuron_plane.js";
import { nonlinearNetworks } from "./nonlinear_networks.js";
import { phaseDiagram } from "./phase_diagram.js";
import { plateauAndJump } from "./plateau_and_jump.js";
import { realTasks } from "./real_tasks.js";
import { testErrorExplorer } from "./test_error.js";
import { turningNeuron } from "./turning_neuron.js";

const ALL = [
  initialScale,
  neuronPlane,
  everyKnob,
  kernelDrift,
  plateauAndJump,
  halfPlane,
  phaseDiagram,
  ensemble,
  testErrorExplorer,
  nonlinearNetworks,
  realTasks,
  knob,
  anyLoss,
  turningNeuron,
];

/** Every explorer by the name that its figure carries. */
export const explorers = Object.fromEntries(ALL.map((explorer) => [explorer.name, explorer]));
