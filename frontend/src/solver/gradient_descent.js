import { Descent } from "./descent.js";
import { StepMap } from "./step_map.js";

/**
 * Training by full-batch steps, exactly, at any width: with h = γηm(v − v*) a step multiplies the modes p and q of every
 * neuron by 1 − h and 1 + h, so Δ by 1 − h² and D by its square.
 */
export class GradientDescent extends Descent {
  /**
   * @param {import("./network.js").Network} network
   * @param {import("./task.js").Task} task
   * @param {import("./gram.js").Gram} gram the start
   */
  constructor(network, task, gram) {
    super(network, task, gram, new StepMap(network, task, gram));
  }
}
