// What Python hands over of the named parametrisations.

const POWERS = {
  ntk: [-0.5, 0, 0, 0, 0],
  mean_field: [-1, 0, 0, 1, 1],
  mup: [0, -2, 0, -1, 1],
  kaiming: [0, -1, 0, -1, -1],
  xavier: [0, -1, -1, 0, 0],
  standard: [0, -1, 0, 0, 0],
};

/**
 * Exponents of γ, σ_u², σ_w², η_u, η_w by name.
 * @param {number[]} powers
 * @returns {import("../../src/solver/scaling.js").Powers}
 */
export const powersOf = ([gamma, sigma2_u, sigma2_w, eta_u, eta_w]) => ({ gamma, sigma2_u, sigma2_w, eta_u, eta_w });

export const SCALINGS = Object.fromEntries(Object.entries(POWERS).map(([name, powers]) => [name, powersOf(powers)]));

/** σ² = 2/(d + 1) */
SCALINGS.xavier = { ...SCALINGS.xavier, factors: { sigma2_u: 2, sigma2_w: 2 }, fan_offset: 1 };
