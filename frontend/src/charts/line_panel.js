import { setLengths, svg } from "../base/svg.js";
import { AxesPanel } from "./axes.js";
import { spread } from "./labels.js";

const LABEL_GAP = 14;

/**
 * A line and its label, which stands behind its end, or `lift` px above the point `labelAt` and beside it; round it a
 * band from `low` to `high`.
 * @typedef {{xs: ArrayLike<number>, ys: ArrayLike<number>, low?: ArrayLike<number>, high?: ArrayLike<number>,
 *   label?: string, labelAt?: number, lift?: number}} Line
 */

/**
 * What is drawn: lines by key, a moment with the height of each dot there, the place of dots that are elsewhere, and the
 * picture in words.
 * @typedef {{lines: Record<string, Line>, mark?: {x: number, ys: Record<string, number>},
 *   places?: Record<string, {x: number, y: number}>, description: string}} Shown
 */

/**
 * The elements of one line, and the values that its path shows.
 * @typedef {object} Drawn
 * @property {SVGPathElement} path
 * @property {SVGPathElement} [ghost]
 * @property {SVGPathElement} [band]
 * @property {SVGPathElement} [points]
 * @property {SVGCircleElement} dot
 * @property {SVGTextElement} label
 * @property {ArrayLike<number>} [drawn]
 */

/**
 * Lines over a fixed pair of axes: labels at the ends of lines, the last setting as a ghost, a mark at one x.
 *
 * The elements stay; a redraw only writes their path data, which costs a fraction of a millisecond.
 */
export class LinePanel extends AxesPanel {
  /**
   * @param {Element} parent
   * @param {object} options
   * @param {string} options.title the reader's words
   * @param {string} [options.symbol]
   * @param {import("./scales.js").Scale} options.x
   * @param {import("./scales.js").Scale} options.y
   * @param {string} [options.xTitle]
   * @param {{key: string, kind: string, tone: string, ghost?: boolean, band?: boolean, points?: boolean}[]}
   *   options.lines kind: exact, frozen, limit, guide or none; points: a dot at each
   * @param {number} [options.aspect] height over width
   * @param {number} [options.labelRoom] px kept for the labels at the ends of the lines
   * @param {number} [options.headRoom] px kept above the plot area
   */
  constructor(parent, options) {
    super(parent, options);
    this.labelRoom = options.labelRoom ?? 84;
    this.headRoom = options.headRoom ?? 8;
    this.aspect = options.aspect ?? 0.56;
    this.ghosts = this.group("flb-ghosts", true);
    const bands = this.group("flb-bands", true);
    this.curves = this.group("flb-curves", true);
    this.mark = svg("line", { class: "flb-mark" }, this.svg);
    this.dots = this.group("flb-dots", true);
    this.labels = this.group("flb-labels");
    /** @type {Map<string, Drawn>} */
    this.elements = new Map();
    for (const { key, kind, tone, ghost, band, points } of options.lines) {
      this.elements.set(key, {
        label: svg("text", { class: `flb-label flb-tone-${tone}` }, this.labels),
        ghost: ghost ? svg("path", { class: `flb-line flb-${kind} flb-ghost` }, this.ghosts) : undefined,
        band: band ? svg("path", { class: `flb-band flb-tone-${tone}` }, bands) : undefined,
        path: svg("path", { class: `flb-line flb-${kind} flb-tone-${tone}` }, this.curves),
        points: points ? svg("path", { class: `flb-line flb-points flb-tone-${tone}` }, this.curves) : undefined,
        dot: svg("circle", { class: `flb-dot flb-tone-${tone}`, r: 0 }, this.dots),
      });
    }
    /** @type {Shown | undefined} */
    this.shown = undefined;
    /** @type {Record<string, Line> | undefined} */
    this.last = undefined;
  }

  /** Lays the axes out for a width in px. */
  resize(width, height = Math.round(width * this.aspect)) {
    if (!this.setSize(width, height, { left: 40, right: this.labelRoom, top: this.headRoom, bottom: this.xTitle ? 36 : 22 })) return;
    this.layOut();
  }

  layOut() {
    super.layOut();
    for (const line of this.elements.values()) line.drawn = undefined;
    this.#drawGhosts();
    if (this.shown) this.draw(this.shown);
  }

  /** @param {Shown} shown */
  draw(shown) {
    this.shown = shown;
    if (!this.width) return;
    this.describe(shown.description);
    const ends = [];
    for (const [key, element] of this.elements) {
      const { label, dot } = element;
      const line = shown.lines[key];
      if (line?.ys !== element.drawn) this.#drawLine(element, line);
      element.drawn = line?.ys;
      const place = shown.places?.[key];
      this.#moveDot(dot, place ? place.x : line && shown.mark?.x, place ? place.y : shown.mark?.ys[key]);
      const text = line?.label ?? "";
      if (label.textContent !== text) label.textContent = text;
      if (!text) continue;
      if (line.labelAt === undefined) ends.push({ label, y: this.py(line.ys[line.ys.length - 1]) });
      else setLengths(label, { x: this.px(line.xs[line.labelAt]) + 9, y: this.py(line.ys[line.labelAt]) - (line.lift ?? 3) });
    }
    for (const { label, y } of spread(ends, LABEL_GAP, this.top + 4, this.top + this.plotHeight - 2)) {
      setLengths(label, { x: this.left + this.plotWidth + 7, y });
    }
    this.moveMark(this.mark, shown.mark?.x);
  }

  /**
   * @param {Drawn} element
   * @param {Line | undefined} line
   */
  #drawLine({ path, band, points }, line) {
    path.setAttribute("d", line ? this.#path(line) : "");
    band?.setAttribute("d", line?.low && line.high ? this.#area(line.xs, line.low, line.high) : "");
    points?.setAttribute("d", line ? this.#known(line.xs, line.ys).map((point) => `M${point}h0`).join("") : "");
  }

  #known(xs, ys) {
    return Array.from(xs, (x, i) => [this.px(x), this.py(ys[i])]).filter((point) => !point.some(Number.isNaN));
  }

  #area(xs, low, high) {
    const edge = [...this.#known(xs, high), ...this.#known(xs, low).reverse()];
    return edge.length ? `M${edge.join("L")}Z` : "";
  }

  #moveDot(dot, x, y) {
    const seen = x !== undefined && y !== undefined;
    dot.setAttribute("r", seen && Number.isFinite(this.y.position(y)) ? 4 : 0);
    if (seen) setLengths(dot, { cx: this.px(x), cy: this.py(y) });
  }

  /** Keeps the lines as drawn now as the ghost. */
  keepGhost() {
    this.last = this.shown?.lines;
    if (this.width) this.#drawGhosts();
  }

  #drawGhosts() {
    for (const [key, { ghost }] of this.elements) {
      const line = this.last?.[key];
      ghost?.setAttribute("d", line ? this.#path(line) : "");
    }
  }

  #path({ xs, ys }) {
    let path = "";
    let pen = "M";
    for (let i = 0; i < xs.length; i++) {
      const y = this.py(ys[i]);
      if (Number.isNaN(y)) {
        pen = "M";
        continue;
      }
      path += `${pen}${this.px(xs[i])},${y}`;
      pen = "L";
    }
    return path;
  }
}
