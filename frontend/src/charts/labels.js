/**
 * Moves labels apart so that none covers another, keeping their order and staying in [low, high].
 * @template {{y: number}} L
 * @param {L[]} labels wanted places; sorted copies come back
 * @param {number} gap least distance
 * @param {number} low
 * @param {number} high
 */
export function spread(labels, gap, low, high) {
  const placed = labels.map((label) => ({ ...label })).sort((a, b) => a.y - b.y);
  let floor = low;
  for (const label of placed) {
    label.y = Math.max(label.y, floor);
    floor = label.y + gap;
  }
  let ceiling = high;
  for (const label of placed.reverse()) {
    label.y = Math.min(label.y, ceiling);
    ceiling = label.y - gap;
  }
  return placed.reverse();
}
