/** What gradient steps come to: no other ends are possible. */
export const FATE = { settles: "settles", bounces: "bounces", diverges: "diverges" };

/** How a descent ends that starts at r and k, with its target at r*; `turn` is r − r*. */
export function fateAt(slope, kernel, target, turn = slope - target) {
  const lid = 4 + target * turn;
  if (turn === 0 || kernel === 0) return { lid, fate: FATE.settles };
  if (Math.abs(target) >= 2 || kernel >= lid) return { lid, fate: FATE.diverges };
  return { lid, fate: Math.abs(target) < 1 ? FATE.settles : FATE.bounces };
}

/**
 * Where a descent stands in the plane of r = mγηv and k = mK, and how it ends, by its start alone: k − 4 − r*(r − r*) keeps
 * its sign, so below that lid training stays for ever, and settles where |r*| < 1.
 * @param {import("./descent.js").Descent} descent
 * @returns {{slope: number, target: number, kernel: number, lid: number, fate: string}} r, r* and k at the start
 */
export function fateOf({ initial, task, map }) {
  const [slope, target] = [map.couple * initial.slope, map.couple * task.target];
  const kernel = task.secondMoment * initial.kernel;
  return { slope, target, kernel, ...fateAt(slope, kernel, target, map.couple * initial.residual) };
}
