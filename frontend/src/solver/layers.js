import { Gram } from "./gram.js";
import { ratio } from "./halves.js";

/**
 * The Gram matrix of layers with this kernel: the larger of uu and ww from K and Δ, the other from uu·ww = (u·w)² + D.
 * @param {import("./network.js").Network} network
 * @param {Gram} start the one at t = 0, which stays where nothing can move
 * @param {{kernel: number, imbalance: number, slope: number, rootDeterminant: number}} now
 */
export function layersOf({ gamma, eta_u, eta_w }, start, { kernel, imbalance, slope, rootDeterminant }) {
  const total = kernel / (gamma * gamma);
  const uw = slope / gamma;
  const product = Math.hypot(uw, rootDeterminant);
  if (imbalance >= 0) {
    const uu = ratio((total + imbalance) / 2, eta_w, start.uu);
    return new Gram(uu, uw, product * ratio(product, uu, 0));
  }
  const ww = ratio((total - imbalance) / 2, eta_u, start.ww);
  return new Gram(product * ratio(product, ww, 0), uw, ww);
}
