import { symbolic } from "../base/html.js";
import { formatNumber } from "../base/format.js";
import { Panel } from "./panel.js";
import { svg } from "../base/svg.js";

const MARGIN = { left: 40, top: 8, bottom: 36 };
const BINS = 80;
const GAP = 14; // px between the bands and the histogram

/** Quantiles against one number, and beside them, on the same vertical axis, a histogram at one place. */
export class SpreadPanel extends Panel {
  /**
   * @param {Element} parent
   * @param {{title: string, x: import("./scales.js").Scale, y: import("./scales.js").Scale, xTitle: string}} options
   */
  constructor(parent, options) {
    super(parent, { ...options, className: "flb-spread" });
    const { x, y, xTitle } = options;
    Object.assign(this, { x, y, xTitle });
    this.grid = this.group("flb-grid");
    this.axes = this.group("flb-axes");
    const plot = this.group("flb-curves", true);
    const tone = "flb-tone-mixed";
    this.wide = svg("path", { class: `flb-band ${tone}` }, plot);
    this.narrow = svg("path", { class: `flb-band ${tone}` }, plot);
    this.level = svg("line", { class: "flb-line flb-guide flb-tone-guide" }, plot);
    this.ghost = svg("path", { class: "flb-line flb-ghost" }, plot);
    this.median = svg("path", { class: `flb-line flb-exact ${tone}` }, plot);
    this.mark = svg("line", { class: "flb-mark" }, this.svg);
    this.bars = svg("path", { class: `flb-bars ${tone}` }, this.svg);
    this.beyond = [0, 1].map(() => svg("text", { "text-anchor": "end" }, this.svg));
    this.dot = svg("circle", { class: "flb-dot flb-tone-ink", r: 0 }, this.svg);
  }

  /** Names the quantity. */
  name(title, symbol) {
    if (this.title === title) return;
    this.title = title;
    this.heading.replaceChildren(title, " ", symbolic(symbol));
  }

  /** Lays both parts out. */
  resize(width, height) {
    const rest = Math.round(width * 0.34);
    if (!this.setSize(width, height, { ...MARGIN, right: rest })) return;
    this.#layOut();
  }

  /** Lets the vertical axis run from `low` to `high` on the scale that `make` makes. */
  setScale(low, high, make) {
    if (this.low === low && this.high === high && this.make === make) return;
    Object.assign(this, { low, high, make, y: make(low, high) });
    this.ghost.setAttribute("d", "");
    if (this.width) this.#layOut();
  }

  #layOut() {
    const { left, top, plotWidth, plotHeight, width } = this;
    const bottom = top + plotHeight;
    this.grid.replaceChildren();
    this.axes.replaceChildren();
    for (const { value, label } of this.y.ticks(plotHeight)) {
      const at = this.#py(value);
      svg("line", { x1: left, x2: width, y1: at, y2: at }, this.grid);
      svg("text", { x: left - 6, y: at, dy: "0.32em", "text-anchor": "end" }, this.axes).textContent = label;
    }
    svg("line", { class: "flb-axis", x1: left, x2: left + plotWidth, y1: bottom, y2: bottom }, this.axes);
    for (const { value, label } of this.x.ticks(plotWidth)) {
      const at = this.#px(value);
      svg("line", { class: "flb-axis", x1: at, x2: at, y1: bottom, y2: bottom + 4 }, this.axes);
      svg("text", { x: at, y: bottom + 7, dy: "0.71em", "text-anchor": "middle" }, this.axes).textContent = label;
    }
    const title = (x, text, anchor) => (svg("text", { x, y: this.height - 4, "text-anchor": anchor }, this.axes).textContent = text);
    title(left + plotWidth, this.xTitle, "end");
    title(width, "networks there", "end");
    this.bandsDrawn = undefined;
    if (this.shown) this.draw(this.shown);
  }

  #px(value) {
    return round(this.left + this.x.position(value) * this.plotWidth);
  }

  #py(value) {
    const place = Math.min(Math.max(this.y.position(value), -0.2), 1.2);
    return round(this.top + (1 - place) * this.plotHeight);
  }

  /**
   * @param {object} shown
   * @param {ArrayLike<number>} shown.xs
   * @param {Record<"q05"|"q25"|"q50"|"q75"|"q95", ArrayLike<number>>} shown.bands
   * @param {number} shown.at where the histogram is taken
   * @param {ArrayLike<number>} shown.values what it counts
   * @param {number} shown.one the value that is marked with a dot
   * @param {number} shown.level a value worth a line
   * @param {string} shown.description
   */
  draw(shown) {
    this.shown = shown;
    if (!this.width) return;
    this.describe(shown.description);
    if (this.bandsDrawn !== shown.bands) this.#drawBands(shown);
    this.bandsDrawn = shown.bands;
    const at = this.#px(shown.at);
    const level = this.#py(shown.level);
    set(this.mark, { x1: at, x2: at, y1: this.top, y2: this.top + this.plotHeight });
    set(this.level, { x1: this.left, x2: this.left + this.plotWidth, y1: level, y2: level });
    set(this.dot, { cx: at, cy: this.#py(shown.one), r: 5 });
    this.#drawBars(shown.values);
  }

  #drawBands({ xs, bands }) {
    const points = (ys) => Array.from(xs, (x, i) => `${this.#px(x)},${this.#py(ys[i])}`);
    const area = (low, high) => `M${[...points(high), ...points(low).reverse()].join("L")}Z`;
    this.wide.setAttribute("d", area(bands.q05, bands.q95));
    this.narrow.setAttribute("d", area(bands.q25, bands.q75));
    this.median.setAttribute("d", `M${points(bands.q50).join("L")}`);
  }

  #drawBars(values) {
    const counts = new Array(BINS).fill(0);
    let [below, above] = [0, 0];
    for (const value of values) {
      const place = this.y.position(value);
      if (place < 0) below++;
      else if (place > 1) above++;
      else counts[Math.min(Math.floor(place * BINS), BINS - 1)]++;
    }
    const from = this.left + this.plotWidth + GAP;
    const room = this.width - from;
    const most = Math.max(...counts, 1);
    const tall = this.plotHeight / BINS;
    let path = "";
    counts.forEach((count, i) => {
      if (count === 0) return;
      const y = round(this.top + this.plotHeight - (i + 1) * tall);
      path += `M${from},${y}h${round((room * count) / most)}v${round(tall - 0.5)}h${round((-room * count) / most)}Z`;
    });
    this.bars.setAttribute("d", path);
    const beyond = [
      { count: above, y: this.top + 12, arrow: "↑" },
      { count: below, y: this.top + this.plotHeight - 6, arrow: "↓" },
    ];
    beyond.forEach(({ count, y, arrow }, i) => {
      set(this.beyond[i], { x: this.width, y });
      this.beyond[i].textContent = count ? `${arrow} ${formatNumber((100 * count) / values.length, 2)} % beyond` : "";
    });
  }

  /** Keeps the median as drawn now as the ghost. */
  keepGhost() {
    this.ghost.setAttribute("d", this.median.getAttribute("d") ?? "");
  }
}

function set(element, values) {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
}

function round(value) {
  return Math.round(value * 10) / 10;
}
