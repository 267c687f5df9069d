import { GradientFlow } from "./gradient_flow.js";
import { Vanishing } from "./initial.js";

/**
 * Training from the same slope with no floor under the kernel, K_min = 0: K = 2γη|v|, and v follows a logistic curve
 * (or decays to the saddle, where it starts on the wrong side of it). The start counts with its slope alone, as if its
 * layers were balanced and aligned.
 */
export class LogisticFlow extends GradientFlow {
  constructor(network, task, gram) {
    super(network, task, gram, new Vanishing(network, task, gram));
  }
}
