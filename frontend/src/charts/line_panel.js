import { Panel } from "./panel.js";
import { spread } from "./labels.js";
import { linear } from "./scales.js";
import { svg } from "../base/svg.js";

const LABEL_GAP = 14;

/**
 * Lines over a fixed pair of axes: labels at the ends of lines, the last setting as a ghost, a mark at one x.
 *
 * The elements stay; a redraw only writes their path data, which costs a fraction of a millisecond.
 */
export class LinePanel extends Panel {
  /**
   * @param {Element} parent
   * @param {object} options
   * @param {string} options.title the reader's words
   * @param {string} [options.symbol]
   * @param {import("./scales.js").Scale} options.x
   * @param {import("./scales.js").Scale} options.y
   * @param {string} [options.xTitle]
   * @param {{key: string, kind: "exact"|"frozen"|"limit"|"guide", tone: string, ghost?: boolean}[]} options.lines
   * @param {number} [options.aspect] height over width
   * @param {number} [options.labelRoom] px kept for the labels at the ends of the lines
   */
  constructor(parent, options) {
    super(parent, options);
    Object.assign(this, { labelRoom: 84, aspect: 0.56, xTitle: "", ...pick(options, KEPT) });
    this.grid = this.group("flb-grid");
    this.axes = this.group("flb-axes");
    this.ghosts = this.group("flb-ghosts", true);
    this.curves = this.group("flb-curves", true);
    this.mark = svg("line", { class: "flb-mark" }, this.svg);
    this.dots = this.group("flb-dots", true);
    this.labels = this.group("flb-labels");
    this.elements = new Map();
    for (const { key, kind, tone, ghost } of options.lines) {
      const line = { key, label: svg("text", { class: `flb-label flb-tone-${tone}` }, this.labels) };
      if (ghost) line.ghost = svg("path", { class: `flb-line flb-${kind} flb-ghost` }, this.ghosts);
      line.path = svg("path", { class: `flb-line flb-${kind} flb-tone-${tone}` }, this.curves);
      line.dot = svg("circle", { class: `flb-dot flb-tone-${tone}`, r: 0 }, this.dots);
      this.elements.set(key, line);
    }
  }

  /** Lays the axes out for a width in px. */
  resize(width, height = Math.round(width * this.aspect)) {
    if (!this.setSize(width, height, { left: 40, right: this.labelRoom, top: 8, bottom: this.xTitle ? 36 : 22 })) return;
    this.#layOut();
  }

  #layOut() {
    for (const { path } of this.elements.values()) path.drawn = undefined;
    this.#drawAxes();
    this.#drawGhosts();
    if (this.shown) this.draw(this.shown);
  }

  /** Lets the vertical axis, linear unless `make` is another scale, run from `low` to `high`; nothing happens where it does. */
  setScale(low, high, make = linear) {
    if (this.low === low && this.high === high) return;
    Object.assign(this, { low, high, y: make(low, high) });
    if (this.width) this.#layOut();
  }

  #drawAxes() {
    const { left, top, plotWidth, plotHeight } = this;
    const bottom = top + plotHeight;
    this.grid.replaceChildren();
    this.axes.replaceChildren();
    for (const { value, label } of this.y.ticks(plotHeight)) {
      const at = this.#py(value);
      svg("line", { x1: left, x2: left + plotWidth, y1: at, y2: at }, this.grid);
      svg("text", { x: left - 6, y: at, dy: "0.32em", "text-anchor": "end" }, this.axes).textContent = label;
    }
    svg("line", { class: "flb-axis", x1: left, x2: left + plotWidth, y1: bottom, y2: bottom }, this.axes);
    for (const { value, label } of this.x.ticks(plotWidth)) {
      const at = this.#px(value);
      svg("line", { class: "flb-axis", x1: at, x2: at, y1: bottom, y2: bottom + 4 }, this.axes);
      svg("text", { x: at, y: bottom + 7, dy: "0.71em", "text-anchor": "middle" }, this.axes).textContent = label;
    }
    if (this.xTitle) {
      const attributes = { class: "flb-x-title", x: left + plotWidth, y: this.height - 4, "text-anchor": "end" };
      svg("text", attributes, this.axes).textContent = this.xTitle;
    }
  }

  #px(value) {
    return this.left + this.x.position(value) * this.plotWidth;
  }

  #py(value) {
    return this.top + (1 - this.y.position(value)) * this.plotHeight;
  }

  /**
   * @param {object} shown
   * @param {Record<string, {xs: ArrayLike<number>, ys: ArrayLike<number>, label?: string, labelAt?: number, lift?: number}>} shown.lines
   *   `labelAt`: beside this point of the line, `lift` px above it, instead of behind its end
   * @param {{x: number, ys: Record<string, number>}} [shown.mark] a moment and the height of each dot there
   * @param {string} shown.description the picture in words
   */
  draw(shown) {
    this.shown = shown;
    if (!this.width) return;
    this.describe(shown.description);
    const ends = [];
    for (const [key, { path, label, dot }] of this.elements) {
      const line = shown.lines[key];
      if (line?.ys !== path.drawn) path.setAttribute("d", line ? this.#path(line) : "");
      path.drawn = line?.ys;
      const at = line && shown.mark ? shown.mark.ys[key] : undefined;
      dot.setAttribute("r", at === undefined || !Number.isFinite(this.y.position(at)) ? 0 : 4);
      if (at !== undefined) {
        dot.setAttribute("cx", round(this.#px(shown.mark.x)));
        dot.setAttribute("cy", round(this.#clamped(at)));
      }
      const text = line?.label ?? "";
      if (label.textContent !== text) label.textContent = text;
      if (!text) continue;
      if (line.labelAt === undefined) ends.push({ label, y: this.#clamped(line.ys[line.ys.length - 1]) });
      else place(label, this.#px(line.xs[line.labelAt]) + 9, this.#clamped(line.ys[line.labelAt]) - (line.lift ?? 3));
    }
    for (const { label, y } of spread(ends, LABEL_GAP, this.top + 4, this.top + this.plotHeight - 2)) {
      place(label, this.left + this.plotWidth + 7, y);
    }
    const at = shown.mark ? round(this.#px(shown.mark.x)) : -9;
    for (const [key, value] of [["x1", at], ["x2", at], ["y1", this.top], ["y2", this.top + this.plotHeight]]) {
      this.mark.setAttribute(key, value);
    }
  }

  /** Keeps the lines as drawn now as the ghost. */
  keepGhost() {
    this.ghost = this.shown?.lines;
    if (this.width) this.#drawGhosts();
  }

  #drawGhosts() {
    for (const [key, { ghost }] of this.elements) {
      const line = this.ghost?.[key];
      ghost?.setAttribute("d", line ? this.#path(line) : "");
    }
  }

  #clamped(value) {
    return Math.min(Math.max(this.#py(value), this.top - 40), this.top + this.plotHeight + 40);
  }

  #path({ xs, ys }) {
    let path = "";
    let pen = "M";
    for (let i = 0; i < xs.length; i++) {
      const y = this.#clamped(ys[i]);
      if (Number.isNaN(y)) {
        pen = "M";
        continue;
      }
      path += pen + round(this.#px(xs[i])) + "," + round(y);
      pen = "L";
    }
    return path;
  }
}

const KEPT = ["x", "y", "xTitle", "aspect", "labelRoom"];

function pick(options, keys) {
  return Object.fromEntries(keys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]));
}

function place(label, x, y) {
  label.setAttribute("x", round(x));
  label.setAttribute("y", round(y));
}

function round(value) {
  return Math.round(value * 10) / 10;
}
