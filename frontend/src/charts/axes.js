import { setLengths, svg, tenths } from "../base/svg.js";
import { Panel } from "./panel.js";
import { linear } from "./scales.js";

const BEYOND = 40; // px that a line is followed outside the plot area

/** A panel with a scale on each axis: grid, ticks and titles, and places in px. Who extends it lays out and draws. */
export class AxesPanel extends Panel {
  /**
   * @param {Element} parent
   * @param {object} options
   * @param {string} options.title
   * @param {string} [options.symbol]
   * @param {string} [options.className]
   * @param {import("./scales.js").Scale} options.x
   * @param {import("./scales.js").Scale} options.y
   * @param {string} [options.xTitle]
   */
  constructor(parent, options) {
    super(parent, options);
    this.x = options.x;
    this.y = options.y;
    this.xTitle = options.xTitle ?? "";
    this.low = NaN;
    this.high = NaN;
    this.from = NaN;
    this.to = NaN;
    this.grid = this.group("flb-grid");
    this.axes = this.group("flb-axes");
  }

  /** Lets the vertical axis run from `low` to `high` on the scale that `make` makes; nothing happens where it does. */
  setScale(low, high, make = linear) {
    if (this.low === low && this.high === high && this.make === make) return;
    this.low = low;
    this.high = high;
    this.make = make;
    this.y = make(low, high);
    if (this.width) this.layOut();
  }

  /** The same for the horizontal axis. */
  setSpan(low, high, make = linear) {
    if (this.from === low && this.to === high && this.makeSpan === make) return;
    this.from = low;
    this.to = high;
    this.makeSpan = make;
    this.x = make(low, high);
    if (this.width) this.layOut();
  }

  /** Draws afresh what size and scales decide; a kind of panel adds what is its own. */
  layOut() {
    this.drawAxes();
  }

  /** The place of a value on the horizontal axis, in px. */
  px(value) {
    return tenths(this.left + this.x.position(value) * this.plotWidth);
  }

  /** The place of a value on the vertical axis, in px, never far outside the plot area. */
  py(value) {
    const y = this.top + (1 - this.y.position(value)) * this.plotHeight;
    return tenths(Math.min(Math.max(y, this.top - BEYOND), this.top + this.plotHeight + BEYOND));
  }

  /**
   * Draws grid, ticks and the title of the horizontal axis.
   * @param {number} [right] where the grid ends, in px
   */
  drawAxes(right = this.left + this.plotWidth) {
    const { left, top, plotWidth, plotHeight } = this;
    const bottom = top + plotHeight;
    this.grid.replaceChildren();
    this.axes.replaceChildren();
    for (const { value, label } of this.y.ticks(plotHeight)) {
      const y = this.py(value);
      svg("line", { x1: left, x2: right, y1: y, y2: y }, this.grid);
      svg("text", { x: left - 6, y, dy: "0.32em", "text-anchor": "end" }, this.axes).textContent = label;
    }
    svg("line", { class: "flb-axis", x1: left, x2: left + plotWidth, y1: bottom, y2: bottom }, this.axes);
    for (const { value, label } of this.x.ticks(plotWidth)) {
      const x = this.px(value);
      svg("line", { class: "flb-axis", x1: x, x2: x, y1: bottom, y2: bottom + 4 }, this.axes);
      svg("text", { x, y: bottom + 7, dy: "0.71em", "text-anchor": "middle" }, this.axes).textContent = label;
    }
    if (this.xTitle) this.titleBelow(this.xTitle, left + plotWidth);
  }

  /** Writes a title below the horizontal axis that ends at `right` px. */
  titleBelow(title, right) {
    svg("text", { x: right, y: this.height - 4, "text-anchor": "end" }, this.axes).textContent = title;
  }

  /** Puts an upright line at a value, or out of sight. */
  moveMark(mark, value) {
    mark.setAttribute("visibility", value === undefined ? "hidden" : "visible");
    if (value === undefined) return;
    const x = this.px(value);
    setLengths(mark, { x1: x, x2: x, y1: this.top, y2: this.top + this.plotHeight });
  }
}
