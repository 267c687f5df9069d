import { html } from "../base/html.js";

/** @type {Record<string, [number, number]>} */
const KEYS = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
  PageUp: [0, 5],
  PageDown: [0, -5],
  Home: [-Infinity, 0],
  End: [Infinity, 0],
};

/** A point on a picture that is dragged by pointer or touch, or moved by the arrow keys. */
export class Handle {
  /**
   * @param {HTMLElement} stage lies exactly over the picture
   * @param {object} options
   * @param {string} options.label its accessible name
   * @param {string} options.className
   * @param {[number, number]} options.range of the horizontal value
   * @param {(x: number, y: number) => void} options.drag is called with a place on the stage in px
   * @param {(right: number, up: number) => void} options.step is called with a number of steps, ±∞ for the ends
   * @param {() => void} [options.drop] is called when a drag has ended
   */
  constructor(stage, { label, className, range, drag, step, drop = () => {} }) {
    this.element = html("div", {
      class: `flb-handle ${className}`,
      role: "slider",
      tabindex: "0",
      "aria-label": label,
      "aria-valuemin": range[0],
      "aria-valuemax": range[1],
    });
    stage.append(this.element);
    this.x = 0;
    this.y = 0;
    this.grip = [0, 0];
    const { element } = this;
    const move = (event) => {
      const box = stage.getBoundingClientRect();
      drag(event.clientX - box.left - this.grip[0], event.clientY - box.top - this.grip[1]);
    };
    element.addEventListener("pointerdown", (event) => {
      const box = stage.getBoundingClientRect();
      this.grip = [event.clientX - box.left - this.x, event.clientY - box.top - this.y];
      element.setPointerCapture(event.pointerId);
    });
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) move(event);
    });
    element.addEventListener("lostpointercapture", drop);
    element.addEventListener("keydown", (event) => {
      const steps = KEYS[event.key];
      if (steps === undefined) return;
      event.preventDefault();
      step(...steps);
    });
  }

  /** Puts the handle at (x, y) px and says where that is. */
  place(x, y, value, words) {
    this.x = x;
    this.y = y;
    this.element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    this.element.setAttribute("aria-valuenow", value);
    this.element.setAttribute("aria-valuetext", words);
  }
}

/** Puts an element of the picture's own size round the <svg> of a panel, to hold handles. */
export function stageOf(panel) {
  const stage = html("div", { class: "flb-stage" });
  panel.svg.replaceWith(stage);
  stage.append(panel.svg);
  return stage;
}
