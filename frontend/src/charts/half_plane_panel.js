import { formatNumber, formatShort } from "../base/format.js";
import { setLengths, svg } from "../base/svg.js";
import { Handle, stageOf } from "./handle.js";
import { Panel } from "./panel.js";

const MARGIN = { left: 12, right: 12, top: 22, bottom: 40 };
const ROOM = 1.08; // of the axes beyond the largest values
const LETTER = 7; // px, about the width of one at the labels' size
const WEDGE = 34; // px, radius of the arc that marks the angle

/**
 * A point of the half plane: u·w and √D.
 * @typedef {{along: number, across: number}} Point
 */

/**
 * What is drawn; `cosines` are those of the angle at the start and now.
 * @typedef {object} Shown
 * @property {Point} start
 * @property {Point} now
 * @property {Point} end
 * @property {number} target
 * @property {{before: number, after: number}} cosines
 * @property {string} description
 */

/** The half plane of the points (u·w, √D): a network is a point, training moves it horizontally. */
export class HalfPlanePanel extends Panel {
  /**
   * @param {Element} parent
   * @param {object} options
   * @param {string} options.title
   * @param {string} [options.symbol]
   * @param {number} options.reach largest target that can be set, and the end of the axis
   * @param {number} options.widest largest |u·w| at the start that can be set
   * @param {number} options.height largest √D that can be set
   * @param {number} options.step of the arrow keys
   * @param {() => {along: number, across: number, target: number}} options.read what is set now
   * @param {(values: {along?: number, across?: number, target?: number}) => void} options.set
   */
  constructor(parent, options) {
    super(parent, { ...options, className: "flb-half-plane" });
    this.reach = options.reach;
    this.tall = options.height;
    this.unit = 1;
    this.floor = 0;
    this.middle = 0;
    /** @type {Shown | undefined} */
    this.shown = undefined;
    const { reach, widest, step, read, set } = options;
    this.circles = this.group("flb-circles", true);
    this.axes = this.group("flb-axes");
    this.ghost = svg("path", { class: "flb-line flb-ghost" }, this.group("flb-clip"));
    const parts = this.group("flb-parts");
    this.goal = svg("line", { class: "flb-mark" }, parts);
    this.goalLabel = svg("text", { "text-anchor": "middle" }, parts);
    this.rays = ["before", "after"].map((name) => ({
      ray: svg("line", { class: `flb-ray flb-ray-${name}` }, parts),
      arc: svg("path", { class: `flb-ray flb-ray-${name}` }, parts),
    }));
    this.path = svg("line", { class: "flb-line flb-exact flb-tone-mixed" }, parts);
    this.head = svg("path", { class: "flb-arrow flb-tone-mixed" }, parts);
    this.dot = svg("circle", { class: "flb-dot flb-tone-mixed", r: 6 }, parts);
    this.heightLabel = svg("text");
    this.heightLabel.textContent = "√D";
    this.startLabel = svg("text", { class: "flb-label flb-tone-guide" }, parts);
    this.nowLabel = svg("text", { class: "flb-label flb-tone-mixed" }, parts);
    const stage = stageOf(this);
    const bounded = (value, low, high) => Math.min(Math.max(value, low), high);
    const along = (value) => bounded(value, -widest, widest);
    const across = (value) => bounded(value, 0, this.tall);
    const next = (value, steps) => Number(((Math.round(value / step) + steps) * step).toPrecision(12));
    this.startHandle = new Handle(stage, {
      label: "start on the picture",
      className: "flb-handle-start",
      range: [-widest, widest],
      drag: (x, y) => set({ along: along(this.#along(x)), across: across(this.#across(y)) }),
      step: (right, up) => {
        if (right) set({ along: along(next(read().along, right)) });
        else set({ across: across(next(read().across, up)) });
      },
    });
    this.targetHandle = new Handle(stage, {
      label: "target on the picture",
      className: "flb-handle-target",
      range: [-reach, reach],
      drag: (x) => set({ target: bounded(this.#along(x), -reach, reach) }),
      step: (right, up) => set({ target: bounded(next(read().target, right || up), -reach, reach) }),
    });
  }

  /** Lays the half plane out, `width` px wide, with the same unit on both axes. */
  resize(width) {
    const inner = width - MARGIN.left - MARGIN.right;
    this.unit = inner / (2 * ROOM * this.reach);
    if (!this.setSize(width, Math.round(ROOM * this.tall * this.unit) + MARGIN.top + MARGIN.bottom, MARGIN)) return;
    this.floor = this.top + this.plotHeight;
    this.middle = this.left + this.plotWidth / 2;
    this.#drawAxes();
    if (this.shown) this.draw(this.shown);
  }

  #px(along) {
    return this.middle + along * this.unit;
  }

  #py(across) {
    return this.floor - across * this.unit;
  }

  #along(px) {
    return Number(((px - this.middle) / this.unit).toFixed(3));
  }

  #across(py) {
    return Number(((this.floor - py) / this.unit).toFixed(3));
  }

  #drawAxes() {
    const { left, plotWidth, floor, middle, top, unit } = this;
    this.axes.replaceChildren();
    this.circles.replaceChildren();
    for (let radius = 1; radius <= this.reach; radius++) {
      const size = radius * unit;
      svg("path", { class: "flb-circle", d: `M${middle - size},${floor}A${size},${size} 0 0,1 ${middle + size},${floor}` }, this.circles);
    }
    svg("line", { class: "flb-axis", x1: left, x2: left + plotWidth, y1: floor, y2: floor }, this.axes);
    svg("line", { class: "flb-axis", x1: middle, x2: middle, y1: top, y2: floor }, this.axes);
    for (let value = -this.reach; value <= this.reach; value++) {
      const text = svg("text", { x: this.#px(value), y: floor + 20, "text-anchor": "middle" }, this.axes);
      text.textContent = formatShort(value);
    }
    svg("text", { x: left + plotWidth, y: floor + 36, "text-anchor": "end" }, this.axes).textContent = "u·w";
    setLengths(this.heightLabel, { y: top - 8 });
    this.axes.append(this.heightLabel);
  }

  /** @param {Shown} shown */
  draw(shown) {
    this.shown = shown;
    if (!this.width) return;
    this.describe(shown.description);
    const { start, now, end, target, cosines } = shown;
    const [startX, nowX, endX, y] = [this.#px(start.along), this.#px(now.along), this.#px(end.along), this.#py(start.across)];
    const goalX = this.#px(target);
    setLengths(this.goal, { x1: goalX, x2: goalX, y1: this.top, y2: this.floor });
    setLengths(this.goalLabel, { x: Math.min(Math.max(goalX, this.left + 22), this.left + this.plotWidth - 22), y: this.top - 8 });
    this.goalLabel.textContent = "target";
    const aside = target < 0 ? 1 : -1;
    setLengths(this.heightLabel, { x: this.middle + 7 * aside });
    this.heightLabel.setAttribute("text-anchor", aside > 0 ? "start" : "end");
    this.#drawRay(0, startX, y);
    this.#drawRay(1, nowX, y);
    const direction = Math.sign(endX - startX);
    const long = Math.abs(endX - startX) > 24;
    setLengths(this.path, { x1: startX, x2: endX, y1: y, y2: y });
    this.head.setAttribute("d", long ? `M${endX - 14 * direction},${y - 6}L${endX - 3 * direction},${y}L${endX - 14 * direction},${y + 6}` : "");
    setLengths(this.dot, { cx: nowX, cy: y });
    this.#drawLabels(startX, nowX, y - 15, cosines);
    this.startHandle.place(startX, y, start.along, `u·w ${formatNumber(start.along, 3)}, √D ${formatNumber(start.across, 3)}`);
    this.targetHandle.place(goalX, this.floor, target, formatNumber(target, 3));
  }

  /** The names of both points: the left one's runs out to the left, the right one's to the right. */
  #drawLabels(startX, nowX, y, cosines) {
    const labels = [
      { element: this.startLabel, x: startX, text: `start, ζ ${formatNumber(cosines.before, 2)}` },
      { element: this.nowLabel, x: nowX, text: `now, ζ ${formatNumber(cosines.after, 2)}` },
    ].sort((a, b) => a.x - b.x);
    const [first, second] = labels;
    const room = (text) => LETTER * text.length;
    const left = Math.max(first.x + 6, this.left + room(first.text));
    const right = Math.max(Math.min(second.x - 6, this.left + this.plotWidth - room(second.text)), left + 10);
    const placed = [
      { ...first, x: left, anchor: "end" },
      { ...second, x: right, anchor: "start" },
    ];
    for (const { element, text, x, anchor } of placed) {
      setLengths(element, { x, y });
      element.setAttribute("text-anchor", anchor);
      if (element.textContent !== text) element.textContent = text;
    }
  }

  #drawRay(index, x, y) {
    const { ray, arc } = this.rays[index];
    setLengths(ray, { x1: this.middle, x2: x, y1: this.floor, y2: y });
    const angle = Math.atan2(this.floor - y, x - this.middle);
    const size = WEDGE + 8 * index;
    const [tipX, tipY] = [this.middle + size * Math.cos(angle), this.floor - size * Math.sin(angle)];
    const far = Math.hypot(x - this.middle, this.floor - y) > size;
    arc.setAttribute("d", far ? `M${this.middle + size},${this.floor}A${size},${size} 0 0,0 ${tipX},${tipY}` : "");
  }

  /** Keeps the way as drawn now as the ghost. */
  keepGhost() {
    if (!this.shown || !this.width) return;
    const { start, end } = this.shown;
    const y = this.#py(start.across);
    this.ghost.setAttribute("d", `M${this.#px(start.along)},${y}L${this.#px(end.along)},${y}`);
  }
}
