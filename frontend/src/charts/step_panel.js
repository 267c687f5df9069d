import { formatNumber } from "../base/format.js";
import { setLengths, svg, tenths } from "../base/svg.js";
import { AxesPanel } from "./axes.js";
import { linear } from "./scales.js";

const MARGIN = { left: 26, right: 12, top: 20, bottom: 40 };
const BESIDE = 0.3; // of mK, within which steps would cross a word
const WORDS = 118; // px, the length of what stands at the line mK = 2, and room for one word more
const HIGH = 3.6; // from here on the word would meet those at the top
const FAR = 1e5; // px, longer than any picture
const TALL = 5; // the largest mK that is seen; the walls |r| = k/2 end in the corners

/**
 * What is drawn: the steps, of which `now` is the number of the last one taken, and the target.
 * @typedef {{slopes: ArrayLike<number>, kernels: ArrayLike<number>, now: number, target: number, description: string}} Shown
 */

/** The plane of r = mγηv and k = mK, in which gradient descent is a map: its walls, its lid, the line k = 2, and the steps. */
export class StepPanel extends AxesPanel {
  /**
   * @param {Element} parent
   * @param {{title: string, symbol?: string}} options
   */
  constructor(parent, options) {
    super(parent, {
      ...options,
      className: "flb-steps",
      x: linear(-TALL / 2, TALL / 2),
      y: linear(0, TALL),
      xTitle: "slope, mγη v",
    });
    this.regions = this.group("flb-regions", true);
    this.above = svg("path", { class: "flb-region flb-tone-feature" }, this.regions);
    this.outside = svg("path", { class: "flb-region flb-outside flb-tone-guide" }, this.regions);
    const plot = this.group("flb-curves", true);
    this.ghost = svg("path", { class: "flb-line flb-ghost" }, plot);
    this.lid = svg("line", { class: "flb-line flb-guide flb-tone-guide" }, plot);
    this.edge = svg("line", { class: "flb-speed" }, plot);
    this.goal = svg("line", { class: "flb-mark" }, plot);
    this.rest = svg("line", { class: "flb-rest" }, plot);
    this.ahead = svg("path", { class: "flb-line flb-faint flb-tone-mixed" }, plot);
    this.path = svg("path", { class: "flb-line flb-tone-mixed" }, plot);
    this.places = svg("path", { class: "flb-line flb-stops flb-tone-mixed" }, plot);
    this.words = this.group("flb-words");
    this.startLabel = svg("text", { "text-anchor": "end" }, this.svg);
    this.dot = svg("circle", { class: "flb-dot flb-tone-mixed", r: 0 }, this.svg);
    this.beyond = svg("text", { class: "flb-label flb-tone-ink", "text-anchor": "end" }, this.svg);
    /** @type {Shown | undefined} */
    this.shown = undefined;
  }

  /** Lays the plane out. */
  resize(width, height) {
    if (!this.setSize(width, height, MARGIN)) return;
    this.layOut();
  }

  layOut() {
    this.drawAxes();
    this.#drawWords();
    this.ghost.setAttribute("d", "");
    if (this.shown) this.draw(this.shown);
  }

  #drawWords() {
    const [left, right, bottom] = [this.left, this.left + this.plotWidth, this.top + this.plotHeight];
    const word = (x, y, text, anchor, className = "") => {
      svg("text", { x, y, "text-anchor": anchor, class: className }, this.words).textContent = text;
    };
    this.words.replaceChildren();
    const edge = this.py(2);
    setLengths(this.edge, { x1: left, x2: right, y1: edge, y2: edge });
    const wall = (side) => `M${this.px(0)},${bottom}L${this.px((side * TALL) / 2)},${this.top}V${bottom}Z`;
    this.outside.setAttribute("d", wall(-1) + wall(1));
    word(right - 4, edge - 5, "mK = 2", "end", "flb-strong");
    word(left + 4, edge - 5, "overshoots ↑", "start");
    word(left + 4, edge + 14, "settles ↓", "start");
    word(right - 4, bottom - 8, "no network", "end");
    word(left + 4, this.top + 14, "diverges ↑", "start");
    word(left - 20, this.top - 8, "kernel, mK", "start");
  }

  /** @param {Shown} shown */
  draw(shown) {
    this.shown = shown;
    if (!this.width) return;
    const { slopes, kernels, now, target } = shown;
    this.describe(shown.description);
    this.#drawLid(target);
    const goal = this.px(target);
    const low = Math.min(2 * Math.abs(target), TALL);
    setLengths(this.goal, { x1: goal, x2: goal, y1: this.py(TALL), y2: this.py(low) });
    setLengths(this.rest, { x1: goal, x2: goal, y1: this.py(2), y2: this.py(Math.min(low, 2)) });
    const points = this.#places(slopes, kernels);
    this.path.setAttribute("d", `M${points.slice(0, now + 1).join("L")}`);
    this.ahead.setAttribute("d", `M${points.slice(now).join("L")}`);
    this.places.setAttribute("d", points.slice(0, now + 1).map((point) => `M${point}h0`).join(""));
    this.#drawEnds(shown);
  }

  /** The lid k = 4 + r*(r − r*), above which training diverges. */
  #drawLid(target) {
    const level = (r) => 4 + target * (r - target);
    const ends = [-TALL / 2, TALL / 2];
    const [from, to] = ends.map((r) => [this.px(r), this.py(level(r))]);
    setLengths(this.lid, { x1: from[0], x2: to[0], y1: from[1], y2: to[1] });
    this.above.setAttribute("d", `M${from}L${to}V${this.top}H${from[0]}Z`);
  }

  /** The dot, or an arrow with the value where it has left the picture. */
  #drawEnds({ slopes, kernels, now }) {
    const [r, k] = [slopes[now], kernels[now]];
    const seen = k <= TALL && Math.abs(r) <= TALL / 2;
    setLengths(this.dot, { cx: this.px(r), cy: this.py(k), r: seen ? 5 : 0 });
    this.beyond.textContent = seen ? "" : `↑ mK = ${formatNumber(k, 2)}`;
    setLengths(this.beyond, { x: this.left + this.plotWidth - 4, y: this.top + 9 });
    const startSeen = kernels[0] <= TALL && Math.abs(slopes[0]) <= TALL / 2;
    this.startLabel.textContent = startSeen ? "start" : "";
    const near = Array.from(slopes).filter((_, n) => Math.abs(kernels[n] - kernels[0]) < BESIDE);
    const aside = this.px(Math.max(Math.min(...near), -TALL / 2)) - 9;
    const y = this.py(kernels[0]) + (kernels[0] > HIGH ? 18 : 4);
    const clear = Math.abs(y - this.py(2) - 4) < 26 ? this.left + WORDS : -Infinity;
    setLengths(this.startLabel, { x: Math.max(aside, clear), y });
  }

  /** The places of the steps in px; a step out of the picture keeps its direction, and its length within reason. */
  #places(slopes, kernels) {
    const points = [];
    let [x0, y0] = [this.left, this.top];
    for (let n = 0; n < slopes.length; n++) {
      const [x, y] = [
        this.left + this.x.position(slopes[n]) * this.plotWidth - x0,
        this.top + (1 - this.y.position(kernels[n])) * this.plotHeight - y0,
      ];
      const part = Math.min(1, FAR / Math.hypot(x, y));
      [x0, y0] = [x0 + part * x, y0 + part * y].map(tenths);
      points.push(`${x0},${y0}`);
    }
    return points;
  }

  /** Keeps the steps as drawn now as the ghost. */
  keepGhost() {
    if (!this.shown || !this.width) return;
    this.ghost.setAttribute("d", `M${this.#places(this.shown.slopes, this.shown.kernels).join("L")}`);
  }
}
