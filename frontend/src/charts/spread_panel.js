import { formatNumber } from "../base/format.js";
import { setLengths, svg, tenths } from "../base/svg.js";
import { AxesPanel } from "./axes.js";

const MARGIN = { left: 40, top: 8, bottom: 36 };
const BINS = 80;
const GAP = 14; // px between the bands and the histogram

/**
 * What is drawn.
 * @typedef {object} Shown
 * @property {ArrayLike<number>} xs
 * @property {Record<"q05"|"q25"|"q50"|"q75"|"q95", ArrayLike<number>>} bands
 * @property {number} at where the histogram is taken
 * @property {ArrayLike<number> & Iterable<number>} values what it counts
 * @property {number} one the value that is marked with a dot
 * @property {number} level a value worth a line
 * @property {string} description
 */

/** Quantiles against one number, and beside them, on the same vertical axis, a histogram at one place. */
export class SpreadPanel extends AxesPanel {
  /**
   * @param {Element} parent
   * @param {{title: string, x: import("./scales.js").Scale, y: import("./scales.js").Scale, xTitle: string}} options
   */
  constructor(parent, options) {
    super(parent, { ...options, className: "flb-spread" });
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
    /** @type {Shown | undefined} */
    this.shown = undefined;
    /** @type {Shown["bands"] | undefined} */
    this.bandsDrawn = undefined;
  }

  /** Lays both parts out. */
  resize(width, height) {
    const rest = Math.round(width * 0.34);
    if (!this.setSize(width, height, { ...MARGIN, right: rest })) return;
    this.layOut();
  }

  layOut() {
    this.drawAxes(this.width);
    this.titleBelow("networks there", this.width);
    this.ghost.setAttribute("d", "");
    this.bandsDrawn = undefined;
    if (this.shown) this.draw(this.shown);
  }

  /** @param {Shown} shown */
  draw(shown) {
    this.shown = shown;
    if (!this.width) return;
    this.describe(shown.description);
    if (this.bandsDrawn !== shown.bands) this.#drawBands(shown);
    this.bandsDrawn = shown.bands;
    const level = this.py(shown.level);
    this.moveMark(this.mark, shown.at);
    setLengths(this.level, { x1: this.left, x2: this.left + this.plotWidth, y1: level, y2: level });
    setLengths(this.dot, { cx: this.px(shown.at), cy: this.py(shown.one), r: 5 });
    this.#drawBars(shown.values);
  }

  #drawBands({ xs, bands }) {
    const points = (ys) => Array.from(xs, (x, i) => `${this.px(x)},${this.py(ys[i])}`);
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
      const y = tenths(this.top + this.plotHeight - (i + 1) * tall);
      path += `M${from},${y}h${tenths((room * count) / most)}v${tenths(tall - 0.5)}h${tenths((-room * count) / most)}Z`;
    });
    this.bars.setAttribute("d", path);
    const beyond = [
      { count: above, y: this.top + 12, arrow: "↑" },
      { count: below, y: this.top + this.plotHeight - 6, arrow: "↓" },
    ];
    beyond.forEach(({ count, y, arrow }, i) => {
      setLengths(this.beyond[i], { x: this.width, y });
      this.beyond[i].textContent = count ? `${arrow} ${formatNumber((100 * count) / values.length, 2)} % beyond` : "";
    });
  }

  /** Keeps the median as drawn now as the ghost. */
  keepGhost() {
    this.ghost.setAttribute("d", this.median.getAttribute("d") ?? "");
  }
}
