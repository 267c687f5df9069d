/**
 * How many steps K_min takes from ρ = `from` down to ρ = `to`, in units of 2γη|v*|, with v settled at v*: the integral of
 * d ln ρ/E[h²], E[h²] = `stirring`/(1 − `drag`·√(1 + ρ²)); what of the way is too steep to settle on costs nothing.
 * @param {{stirring: number, drag: number}} noise stirring: γ²η² E[(m_B v* − c_B)²]; drag: γη|v*| E[m_B²]/m
 * @param {number} from
 * @param {number} to
 */
export function stepsToSink({ stirring, drag }, from, to) {
  const settling = Math.sqrt(Math.max(1 / (drag * drag) - 1, 0));
  const [high, low] = [from, to].map((distance) => Math.min(distance, settling));
  if (!(high > low)) return 0;
  const lost = drag * (area(high) - area(low));
  return (Math.log(high / low) - lost) / stirring;
}

/** ∫ √(1 + ρ²) dρ/ρ */
function area(distance) {
  const root = Math.hypot(1, distance);
  return root + Math.log(distance / (1 + root));
}
