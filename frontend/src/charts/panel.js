import { symbolic } from "../base/html.js";
import { freshId, setLengths, svg } from "../base/svg.js";

const WIDE = 560; // px, from which panels stand side by side
const GAP = 24; // px between them

/** What every chart has: an <svg> picture with a text that says what is seen, a title, a clipped plot area. */
export class Panel {
  /**
   * @param {Element} parent
   * @param {{title: string, symbol?: string, className?: string}} options
   */
  constructor(parent, { title, symbol = "", className = "" }) {
    this.figure = document.createElement("div");
    this.figure.className = `flb-panel ${className}`;
    const heading = document.createElement("div");
    heading.className = "flb-panel-title";
    this.heading = heading;
    this.svg = svg("svg", { role: "img", class: "flb-chart" });
    this.named = "";
    this.name(title, symbol);
    this.figure.append(heading, this.svg);
    parent.append(this.figure);
    this.clip = freshId("clip");
    const definitions = svg("defs", {}, this.svg);
    this.clipRectangle = svg("rect", {}, svg("clipPath", { id: this.clip }, definitions));
    this.width = 0;
    this.height = 0;
    this.left = 0;
    this.top = 0;
    this.plotWidth = 0;
    this.plotHeight = 0;
  }

  /** Names what is seen. */
  name(title, symbol = "") {
    if (this.named === title) return;
    this.named = title;
    this.heading.replaceChildren(title, ...(symbol ? [" ", symbolic(symbol)] : []));
  }

  /** A group, inside the plot area only if `clipped`. */
  group(className, clipped = false) {
    return svg("g", { class: className, ...(clipped ? { "clip-path": `url(#${this.clip})` } : {}) }, this.svg);
  }

  /** Says in words what the picture shows. */
  describe(text) {
    if (this.description !== text) {
      this.description = text;
      this.svg.setAttribute("aria-label", text);
    }
  }

  /** Sets the size in pixels and the margins around the plot area; answers whether that changed anything. */
  setSize(width, height, margin) {
    if (width === this.width && height === this.height) return false;
    this.width = width;
    this.height = height;
    this.left = margin.left;
    this.top = margin.top;
    this.plotWidth = Math.max(width - margin.left - margin.right, 10);
    this.plotHeight = Math.max(height - margin.top - margin.bottom, 10);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    setLengths(this.clipRectangle, { x: this.left, y: this.top, width: this.plotWidth, height: this.plotHeight });
    return true;
  }

  /** Calls `pick(x)` with the place (0…1) along the plot area that is pressed or dragged over. */
  onPick(pick) {
    const area = this.svg;
    area.classList.add("flb-pickable");
    const report = (event) => {
      const box = area.getBoundingClientRect();
      pick(Math.min(Math.max((event.clientX - box.left - this.left) / this.plotWidth, 0), 1));
    };
    area.addEventListener("pointerdown", (event) => {
      area.setPointerCapture(event.pointerId);
      report(event);
    });
    area.addEventListener("pointermove", (event) => {
      if (area.hasPointerCapture(event.pointerId)) report(event);
    });
  }
}

/**
 * Gives panels the halves of a wide place, two by two, and each the whole of a narrow one.
 * @param {Iterable<{resize: (width: number, height?: number) => void}>} panels
 * @param {number} width of the place
 * @param {number} height of each in a narrow place
 */
export function resizeInPairs(panels, width, height) {
  const wide = width >= WIDE;
  for (const panel of panels) panel.resize(wide ? (width - GAP) / 2 : width, wide ? undefined : height);
}

/** The widths of a picture that has a share of a wide place, and of what stands beside it; each has a narrow one whole. */
export function besideOf(width, share) {
  const wide = width >= WIDE;
  const main = wide ? Math.round(width * share) : width;
  return { wide, main, rest: wide ? width - main - GAP : width };
}
