/** numerator/denominator, and `otherwise` where the denominator is not above 0. */
export function ratio(numerator, denominator, otherwise) {
  return denominator > 0 ? numerator / denominator : otherwise;
}

/** K + s and K − s, the smaller one as K_min²/larger. @returns {[number, number]} */
export function halves(signal, kernel, floor) {
  const larger = kernel + Math.abs(signal);
  const smaller = floor * ratio(floor, larger, 0);
  return signal >= 0 ? [larger, smaller] : [smaller, larger];
}

/** The sum x + y whose terms are smallest, the one that cancels least, from triples [x, y, size]. */
export function smallestTerms(...sums) {
  let [bestX, bestY, least] = sums[0];
  for (const [x, y, size] of sums.slice(1)) {
    if (size < least) [bestX, bestY, least] = [x, y, size];
  }
  return bestX + bestY;
}
