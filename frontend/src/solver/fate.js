/** What gradient steps come to: no other ends are possible. */
export const FATE = { settles: "settles", bounces: "bounces", diverges: "diverges" };

/**
 * Where a descent stands in the plane of r = mγηv and k = mK, and how it ends, by its start alone: k − 4 − r*(r − r*) keeps
 * its sign, so below that lid training stays for ever, and settles where |r*| < 1.
 * @param {import("./descent.js").Descent} descent
 * @returns {{slope: number, target: number, kernel: number, lid: number, fate: string}} r, r* and k at the start
 */
export function fateOf({ initial, task, map }) {
  const [slope, target] = [map.couple * initial.slope, map.couple * task.target];
  const kernel = task.secondMoment * initial.kernel;
  const lid = 4 + target * map.couple * initial.residual;
  const beyond = Math.abs(target) >= 2 || kernel >= lid;
  const inside = Math.abs(target) < 1 ? FATE.settles : FATE.bounces;
  const still = initial.residual === 0 || initial.kernel === 0;
  return { slope, target, kernel, lid, fate: still ? FATE.settles : beyond ? FATE.diverges : inside };
}
