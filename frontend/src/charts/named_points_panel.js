import { formatNumber } from "../base/format.js";
import { setLengths, svg } from "../base/svg.js";
import { LinePanel } from "./line_panel.js";

const LETTER = 7.3; // px, about the width of one at the labels' size
const BETWEEN = 9; // px, least distance of two names
const HEAD = 24; // px above the plot area, where the names stand

/** @typedef {{x: number, y: number, name: string}} Named */

/** Lines, and points on them whose names stand in a row above, each with a thread to its point. */
export class NamedPointsPanel extends LinePanel {
  /**
   * @param {Element} parent
   * @param {ConstructorParameters<typeof LinePanel>[1] & {points: {key: string, tone: string}[]}} options
   */
  constructor(parent, options) {
    super(parent, { ...options, headRoom: HEAD });
    const threads = this.group("flb-threads");
    /** Those that come first lie on top. */
    this.marks = new Map(
      options.points.map(({ key, tone }) => [
        key,
        {
          thread: svg("line", { class: "flb-thread" }, threads),
          dot: svg("circle", { class: `flb-dot flb-tone-${tone}`, r: 5 }),
          label: svg("text", { class: `flb-label flb-tone-${tone}`, "text-anchor": "middle" }, this.labels),
        },
      ]),
    );
    for (const { dot } of [...this.marks.values()].reverse()) this.svg.append(dot);
    /** @type {Record<string, Named> | undefined} */
    this.points = undefined;
  }

  layOut() {
    super.layOut();
    if (this.points) this.place(this.points);
  }

  /** @param {Record<string, Named>} points */
  place(points) {
    this.points = points;
    if (!this.width) return;
    const [left, right, bottom] = [this.left, this.left + this.plotWidth, this.top + this.plotHeight];
    const found = Object.entries(points).map(([key, { x, y, name }]) => {
      const [px, py] = [this.px(x), this.py(y)];
      const [seenX, seenY] = [Math.min(Math.max(px, left), right), Math.min(Math.max(py, this.top), bottom)];
      // what is beyond the frame is said at its edge
      const text = px > right ? `${name} ${formatNumber(x, 3)} →` : px < left ? `← ${formatNumber(x, 3)} ${name}` : py < this.top ? `${name} ↑` : name;
      return { key, seenX, seenY, text, outside: seenX !== px || seenY !== py, half: (LETTER * text.length) / 2, y: seenX };
    });
    for (const { key, seenX, seenY, text, outside, y } of inRow(found, left - 30, right + this.labelRoom)) {
      const { thread, dot, label } = /** @type {NonNullable<ReturnType<typeof this.marks.get>>} */ (this.marks.get(key));
      if (label.textContent !== text) label.textContent = text;
      setLengths(label, { x: y, y: 9 });
      setLengths(thread, { x1: y, y1: 17, x2: seenX, y2: seenY });
      setLengths(dot, { cx: seenX, cy: seenY });
      dot.setAttribute("r", outside ? "0" : "5");
    }
  }
}

/** Moves names of different widths apart, in the order of their points. */
function inRow(labels, low, high) {
  const ordered = [...labels].sort((a, b) => a.y - b.y);
  // where all are as narrow as a point, the room is what lies between
  let shift = 0;
  const narrow = ordered.map((label, i) => {
    shift += label.half + (i ? ordered[i - 1].half + BETWEEN : 0);
    return { ...label, shift, y: label.y - shift };
  });
  const last = narrow[narrow.length - 1];
  const placed = [];
  let floor = low;
  for (const label of narrow) {
    floor = Math.max(floor, Math.min(label.y, high - last.half - last.shift));
    placed.push({ ...label, y: floor });
  }
  return placed.map((label) => ({ ...label, y: label.y + label.shift }));
}
