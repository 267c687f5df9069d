import { formatShort } from "../base/format.js";
import { html } from "../base/html.js";
import { setLengths, svg } from "../base/svg.js";
import { Handle, stageOf } from "./handle.js";
import { Panel } from "./panel.js";

const MARGIN = { left: 34, right: 10, top: 10, bottom: 38 };
const ROW = 20; // px between the names of parametrisations that share a point

/**
 * What is drawn: the place and its words, the phase below the diagonal, whether the named places are there and which of
 * them are set, and the picture in words.
 * @typedef {{kernel: number, signal: number, words: string, below: {word: string, tone: string}, named: boolean, chosen: boolean[], description: string}} Shown
 */

/** The plane of the exponents k (kernel) and b (signal): phases, speeds, named parametrisations and the chosen one. */
export class ExponentPanel extends Panel {
  /**
   * @param {Element} parent
   * @param {object} options
   * @param {string} options.title
   * @param {number} options.reach both axes go from −reach to reach
   * @param {number} options.step of the arrow keys and of the grid that a click snaps to
   * @param {{label: string, title: string, kernel: number, signal: number, choose: () => void}[]} options.places
   * @param {() => {kernel: number, signal: number}} options.read where the chosen one is now
   * @param {(kernel: number, signal: number) => void} options.move
   * @param {() => void} options.play is called once a click or a drag has ended
   */
  constructor(parent, options) {
    super(parent, { ...options, className: "flb-exponents" });
    const { reach, step, places, read, move, play } = options;
    this.reach = reach;
    /** @type {Shown | undefined} */
    this.shown = undefined;
    /** @type {string | undefined} which background is drawn */
    this.drawn = undefined;
    this.svg.classList.add("flb-clickable");
    this.regions = this.group("flb-regions");
    this.axes = this.group("flb-axes");
    this.words = this.group("flb-words");
    this.ghost = svg("circle", { class: "flb-place-ghost", r: 0 }, this.svg);
    this.here = svg("circle", { class: "flb-dot flb-tone-mixed", r: 8 }, this.svg);
    const stage = stageOf(this);
    this.names = places.map(({ label, title, choose, ...place }) => {
      const button = html("button", { type: "button", class: "flb-place", title }, label);
      button.addEventListener("click", () => {
        choose();
        play();
      });
      stage.append(button);
      return { button, ...place };
    });
    const snapped = (value) => Math.min(Math.max(Math.round(value / step) * step, -reach), reach);
    const goTo = (x, y) => move(snapped(this.#kernel(x)), snapped(this.#signal(y)));
    this.handle = new Handle(stage, {
      label: "place on the map",
      className: "flb-handle-place",
      range: [-reach, reach],
      drag: goTo,
      step: (right, up) => {
        const { kernel, signal } = read();
        move(snapped(kernel + step * right), snapped(signal + step * up));
      },
      drop: play,
    });
    this.svg.addEventListener("click", (event) => {
      const box = this.svg.getBoundingClientRect();
      goTo(event.clientX - box.left, event.clientY - box.top);
      play();
    });
  }

  /** Lays the map out, a square `width` px wide. */
  resize(width) {
    if (!this.setSize(width, width + MARGIN.top + MARGIN.bottom - MARGIN.left - MARGIN.right, MARGIN)) return;
    this.drawn = undefined;
    if (this.shown) this.draw(this.shown);
  }

  #px(kernel) {
    return this.left + (0.5 + kernel / (2 * this.reach)) * this.plotWidth;
  }

  #py(signal) {
    return this.top + (0.5 - signal / (2 * this.reach)) * this.plotHeight;
  }

  #kernel(px) {
    return ((px - this.left) / this.plotWidth - 0.5) * 2 * this.reach;
  }

  #signal(py) {
    return (0.5 - (py - this.top) / this.plotHeight) * 2 * this.reach;
  }

  /** @param {Shown} shown */
  #drawRegions({ below }) {
    const { reach, left, top, plotWidth, plotHeight } = this;
    const [right, bottom] = [left + plotWidth, top + plotHeight];
    const [x0, y0] = [this.#px(0), this.#py(0)];
    for (const group of [this.regions, this.axes, this.words]) group.replaceChildren();
    const region = (tone, d) => svg("path", { class: `flb-region flb-tone-${tone}`, d }, this.regions);
    region(below.tone, `M${left},${bottom}L${right},${top}V${bottom}Z`);
    region("feature", `M${left},${bottom}L${right},${top}H${left}Z`);
    svg("path", { class: "flb-line flb-tone-feature", d: `M${left},${bottom}L${right},${top}` }, this.regions);
    svg("path", { class: "flb-speed", d: `M${left},${y0}H${x0}V${bottom}` }, this.regions);
    for (let value = -reach; value <= reach; value++) {
      const label = formatShort(value);
      svg("text", { x: this.#px(value), y: bottom + 16, "text-anchor": "middle" }, this.axes).textContent = label;
      svg("text", { x: left - 6, y: this.#py(value), dy: "0.32em", "text-anchor": "end" }, this.axes).textContent = label;
    }
    svg("text", { x: right, y: this.height - 4, "text-anchor": "end" }, this.axes).textContent = "kernel exponent k";
    svg("text", { x: left + 6, y: top + 13 }, this.axes).textContent = "signal exponent b";
    const word = (x, y, text, tone, anchor = "middle") =>
      (svg("text", { x, y, "text-anchor": anchor, class: tone ? `flb-label flb-tone-${tone}` : "" }, this.words).textContent = text);
    word(this.#px(0.75 * reach), this.#py(-0.62 * reach), below.word, below.tone);
    word(this.#px(-0.5 * reach), this.#py(0.45 * reach), "vanishing start", "feature");
    word(this.#px(0.74 * reach), this.#py(0.8 * reach), "critical", "feature", "end");
    word(left + 6, y0 + 17, "learns in time O(1)", "", "start");
    word(x0 - 8, bottom - 8, "frozen", "", "end");
    word(x0 + 8, bottom - 8, "unstable", "", "start");
  }

  /** Names stand to the right of their point; those that share one, to its left and one above the other. */
  #placeNames(named) {
    for (const { button } of this.names) button.hidden = !named;
    if (!named) return;
    for (const { button, kernel, signal } of this.names) {
      const [x, y] = [this.#px(kernel), this.#py(signal)];
      const sharing = this.names.filter((other) => other.kernel === kernel && other.signal === signal);
      const row = sharing.findIndex((other) => other.button === button);
      const shared = sharing.length > 1;
      button.style.left = shared ? "" : `${x + 11}px`;
      button.style.right = shared ? `${this.width - x + 11}px` : "";
      button.style.top = `${y + 2 - (shared ? 10 + ROW * row : 0)}px`;
      if (row === 0) svg("circle", { class: "flb-named", cx: x, cy: y, r: 4 }, this.words);
    }
  }

  /** @param {Shown} shown */
  draw(shown) {
    this.shown = shown;
    if (!this.width) return;
    this.describe(shown.description);
    const drawn = `${shown.below.word} ${shown.named}`;
    if (this.drawn !== drawn) {
      this.#drawRegions(shown);
      this.#placeNames(shown.named);
      this.drawn = drawn;
    }
    const [x, y] = this.#inside(shown);
    setLengths(this.here, { cx: x, cy: y });
    this.handle.place(x, y, shown.kernel, shown.words);
    this.names.forEach(({ button }, i) => button.setAttribute("aria-pressed", String(shown.chosen[i])));
  }

  /** A place beyond the map is shown on its rim. */
  #inside({ kernel, signal }) {
    const clamp = (value) => Math.min(Math.max(value, -this.reach), this.reach);
    return [this.#px(clamp(kernel)), this.#py(clamp(signal))];
  }

  /** Keeps the place as drawn now as the ghost. */
  keepGhost() {
    if (!this.shown || !this.width) return;
    const [x, y] = this.#inside(this.shown);
    setLengths(this.ghost, { cx: x, cy: y, r: 8 });
  }
}
