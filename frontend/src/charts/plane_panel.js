import { formatShort } from "../base/format.js";
import { svg, tenths } from "../base/svg.js";
import { Panel } from "./panel.js";

/**
 * Weights neuron by neuron.
 * @typedef {{u: ArrayLike<number>, w: ArrayLike<number>}} Weights
 */

/**
 * What is drawn.
 * @typedef {object} Shown
 * @property {number} extent half of what is seen of the u axis
 * @property {number} [extentW] half of what is seen of the w axis, where that differs
 * @property {Weights} start
 * @property {Weights} now
 * @property {{u: number, w: number}[][]} [trails] the way that each came
 * @property {{u: number, w: number}[][]} [rails] the curve that each cannot leave
 * @property {string} description
 */

/** The plane of the neurons: (uᵢ, wᵢ) as dots, where each started, the way it came, the curve it cannot leave. */
export class PlanePanel extends Panel {
  /**
   * @param {Element} parent
   * @param {{title: string, symbol?: string, tone: string, dot?: number}} options
   */
  constructor(parent, options) {
    super(parent, { ...options, className: "flb-plane" });
    this.radius = options.dot ?? 3.5;
    this.extent = 1;
    this.extentW = 1;
    /** @type {Shown | undefined} */
    this.shown = undefined;
    /** @type {Shown["rails"]} */
    this.drawnRails = undefined;
    this.axes = this.group("flb-axes");
    const tone = `flb-tone-${options.tone}`;
    this.layers = {
      rails: svg("path", { class: "flb-rails" }, this.group("flb-clip", true)),
      trails: svg("path", { class: `flb-trails ${tone}` }, this.group("flb-clip", true)),
      starts: svg("path", { class: "flb-starts" }, this.group("flb-clip", true)),
      dots: svg("path", { class: `flb-neurons ${tone}` }, this.group("flb-clip", true)),
    };
  }

  /** Lays a square out, `side` px wide. */
  resize(side) {
    if (!this.setSize(side, side, { left: 8, right: 8, top: 8, bottom: 8 })) return;
    if (this.shown) this.draw(this.shown, true);
  }

  /**
   * @param {Shown} shown
   * @param {boolean} [force] also what did not change
   */
  draw(shown, force = false) {
    const { extent, extentW = extent } = shown;
    const sameExtent = this.extent === extent && this.extentW === extentW && this.shown && !force;
    this.shown = shown;
    this.extent = extent;
    this.extentW = extentW;
    if (!this.width) return;
    this.describe(shown.description);
    if (!sameExtent) this.#drawAxes();
    const { layers } = this;
    if (force || shown.rails !== this.drawnRails) layers.rails.setAttribute("d", shown.rails ? this.#polylines(shown.rails) : "");
    this.drawnRails = shown.rails;
    layers.trails.setAttribute("d", shown.trails ? this.#polylines(shown.trails) : "");
    layers.starts.setAttribute("d", this.#circles(shown.start, this.radius * 0.8));
    layers.dots.setAttribute("d", this.#circles(shown.now, this.radius));
  }

  #drawAxes() {
    const { left, top, plotWidth, plotHeight } = this;
    const [x0, y0] = [left + plotWidth / 2, top + plotHeight / 2];
    this.axes.replaceChildren();
    svg("line", { class: "flb-axis", x1: left, x2: left + plotWidth, y1: y0, y2: y0 }, this.axes);
    svg("line", { class: "flb-axis", x1: x0, x2: x0, y1: top, y2: top + plotHeight }, this.axes);
    const [endU, endW] = [this.extent, this.extentW].map((extent) => formatShort(Number(extent.toPrecision(2))));
    const text = (x, y, anchor, value) => {
      svg("text", { x, y, "text-anchor": anchor }, this.axes).textContent = value;
    };
    text(left + plotWidth, y0 - 6, "end", "uᵢ");
    text(left + plotWidth, y0 + 15, "end", endU);
    text(x0 + 7, top + 10, "start", "wᵢ");
    text(x0 - 7, top + 10, "end", endW);
  }

  #x(u) {
    return tenths(this.left + (0.5 + u / (2 * this.extent)) * this.plotWidth);
  }

  #y(w) {
    return tenths(this.top + (0.5 - w / (2 * this.extentW)) * this.plotHeight);
  }

  #circles({ u, w }, radius) {
    let path = "";
    const arc = `a${radius},${radius} 0 1,0 ${2 * radius},0a${radius},${radius} 0 1,0 ${-2 * radius},0`;
    for (let i = 0; i < u.length; i++) path += `M${this.#x(u[i]) - radius},${this.#y(w[i])}${arc}`;
    return path;
  }

  #polylines(lines) {
    let path = "";
    for (const line of lines) {
      path += line.map(({ u, w }, i) => `${i ? "L" : "M"}${this.#x(u)},${this.#y(w)}`).join("");
    }
    return path;
  }
}

/** The angles at which the branch through (u, w) leaves what is seen, extent by extentW. */
export function reach(u, w, ratio, extent, extentW = extent) {
  const along = Math.abs(u + ratio * w) / 2;
  const against = Math.abs(u - ratio * w) / 2;
  const far = 1.6 * Math.max(extent, ratio * extentW);
  return [-Math.log(Math.max(far / against, 1)), Math.log(Math.max(far / along, 1))].map((angle) =>
    Number.isFinite(angle) ? angle : 0,
  );
}

/** Points of the branch of η_w u² − η_u w² = const through (u, w), between two angles from there. */
export function branch(u, w, ratio, from, to, count = 24) {
  const points = [];
  for (let k = 0; k <= count; k++) {
    const angle = from + ((to - from) * k) / count;
    const [cosh, sinh] = [Math.cosh(angle), Math.sinh(angle)];
    points.push({ u: u * cosh + ratio * w * sinh, w: w * cosh + (u / ratio) * sinh });
  }
  return points;
}

