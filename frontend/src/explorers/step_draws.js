// The random numbers of noisy steps, the same ones in every browser and in Python: step n of a path takes two words of 32
// bits, the scrambled numbers 2n and 2n + 1 beyond the path's own. They are two uniform numbers, so one normal number by
// Box and Muller; the last bit of the first chooses one of two examples.

const APART = 2 ** 20; // words between two paths
const WORD = 2 ** 32;
const [SPREAD, SCRAMBLE] = [0x9e3779b1, 0x45d9f3b];

/** A word that tells nothing of its neighbours': multiplied, and folded on itself. */
function scrambled(word) {
  let x = Math.imul(word, SPREAD);
  for (let round = 0; round < 2; round++) x = Math.imul(x ^ (x >>> 16), SCRAMBLE);
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * The examples, 0 or 1, and the standard normal noise of the first steps of a path.
 * @param {number} path
 * @param {number} count
 */
export function stepDraws(path, count) {
  const [index, normal] = [new Uint8Array(count), new Float64Array(count)];
  for (let n = 1; n <= count; n++) {
    const word = path * APART + 2 * n;
    const first = scrambled(word);
    const angle = (2 * Math.PI * (scrambled(word + 1) + 0.5)) / WORD;
    index[n - 1] = first & 1;
    normal[n - 1] = Math.sqrt(-2 * Math.log((first + 0.5) / WORD)) * Math.cos(angle);
  }
  return { index, normal };
}
