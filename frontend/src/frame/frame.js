import { catalogue, parameterNames, presets, specification } from "../base/catalogue.js";
import { html } from "../base/html.js";
import { differ, fromPosition, levelled, toPosition } from "../base/parameters.js";
import { presetValues } from "../explorers/presets.js";
import { Buttons } from "./buttons.js";
import { attendControls } from "./controls.js";
import { Numbers } from "./numbers.js";
import { Player } from "./player.js";
import { Summary } from "./summary.js";

const SETTLED = 600; // ms without a change after which the next one starts a new comparison
const PLAY = 5000; // ms from the start of training to its end

/** JSON has no infinity: it travels as text. */
const packed = (_, value) => (value === Infinity ? "Infinity" : value);

/**
 * @typedef {import("../explorers/explorer.js").Constants} Constants
 * @typedef {import("../explorers/explorer.js").Parameters} Parameters
 */

/**
 * What is used of an anywidget model.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, listener: () => void) => void} on
 * @property {(event: string, listener: () => void) => void} off
 */

/**
 * The frame round every explorer's picture: it turns the widget's traits into parameters, has the explorer
 * compute and draw, and gives it numbers, presets, play, reset and a ghost of the last setting.
 */
export class Frame {
  /**
   * @param {Model} model
   * @param {HTMLElement} el
   * @param {import("../explorers/explorer.js").Explorer} explorer
   */
  constructor(model, el, explorer) {
    const { name, numbers, constants = [] } = explorer;
    this.model = model;
    this.explorer = explorer;
    this.configuration = catalogue[name];
    this.names = parameterNames(name);
    this.constants = /** @type {Constants} */ (Object.fromEntries(constants.map((key) => [key, model.get(key)])));
    this.time = levelled(specification(name, this.configuration.time), this.constants.table?.levels[this.configuration.time]);
    this.root = html("div", { class: "flb", "data-flbook-explorer": name, role: "group", "aria-label": this.configuration.title });
    this.charts = html("div", { class: "flb-charts" });
    this.summary = new Summary();
    this.root.append(this.summary.element, this.charts, this.summary.spoken);
    this.view = explorer.createView(this.charts, this.#actions());
    this.numbers = new Numbers(this.root, { ...numbers, label: "Numbers" });
    this.player = this.#makePlayer();
    this.buttons = this.#makeButtons();
    this.root.append(this.buttons.element);
    el.append(this.root);
    /** @type {Parameters | undefined} what is drawn */
    this.parameters = undefined;
    this.changedAt = -Infinity;
    this.width = 0;
    /** @type {number | undefined} the frame that has been asked for */
    this.pending = undefined;
    /** @type {(() => void) | undefined} */
    this.release = undefined;
    this.onChange = () => this.#schedule();
    model.on("change", this.onChange);
    this.resizing = new ResizeObserver(() => this.#resized());
    this.resizing.observe(this.charts);
  }

  /** What the picture may do. @returns {import("../explorers/explorer.js").Actions} */
  #actions() {
    return {
      pickTime: (place) => {
        this.player.stop();
        this.#setTime(place);
        this.model.save_changes();
      },
      read: () => this.#read(),
      set: (values) => this.#set(values),
      replay: () => this.player.restart(),
      constants: this.constants,
    };
  }

  #makePlayer() {
    return new Player({
      duration: PLAY,
      read: () => toPosition(this.time, this.model.get(this.configuration.time)),
      write: (place) => {
        this.#setTime(place);
        if (place >= 1) this.model.save_changes();
      },
      changed: (playing) => {
        this.buttons.showPlaying(playing);
        if (!playing) this.model.save_changes();
      },
    });
  }

  #makeButtons() {
    const { presets, plays = "the training" } = this.configuration;
    return new Buttons({
      presets,
      plays,
      play: () => this.player.toggle(),
      reset: () => this.#reset(),
      choose: (preset) => this.#set(this.#presetValues(preset)),
    });
  }

  /** @returns {Parameters} */
  #read() {
    return Object.fromEntries(this.names.map((name) => [name, this.model.get(name)]));
  }

  #set(values) {
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    this.model.save_changes();
  }

  #setTime(place) {
    const value = fromPosition(this.time, place);
    this.model.set(this.configuration.time, this.time.scale === "linear" && this.time.integer ? Math.round(value) : value);
  }

  #reset() {
    this.player.stop();
    this.#set(this.model.get("opening"));
  }

  #presetValues(name) {
    const setting = { explorer: this.explorer.name, now: this.#read(), scalings: this.model.get("scalings") };
    return presetValues(presets[name], setting);
  }

  #schedule() {
    this.pending ??= requestAnimationFrame(() => this.#redraw());
  }

  #resized() {
    const width = this.charts.clientWidth;
    if (!width) return;
    this.release ??= this.#attend();
    if (width === this.width) return;
    this.width = width;
    this.view.resize(width);
    this.#redraw();
  }

  #attend() {
    const box = this.root.closest(".flbook-explorer");
    return box ? attendControls(box, this.explorer.name) : () => {};
  }

  #redraw() {
    if (this.pending !== undefined) cancelAnimationFrame(this.pending);
    this.pending = undefined;
    if (!this.width) return;
    const parameters = this.#read();
    this.#keepGhostBefore(parameters);
    this.parameters = parameters;
    const result = this.explorer.compute(parameters, this.constants);
    if (result.mix !== undefined) this.root.style.setProperty("--mix", `${Math.round(100 * result.mix)}%`);
    this.view.draw(result);
    this.numbers.show(result.quantities, result.headings);
    this.summary.say(result.summary);
    this.buttons.showChosen((preset) =>
      Object.entries(this.#presetValues(preset)).every(([name, value]) => !differ(parameters[name], value)),
    );
    this.root.dataset.parameters = JSON.stringify(result.parameters, packed);
    this.root.dataset.ready = "true";
  }

  /** Keeps what is drawn as the ghost when something else than the time moves, after a rest. */
  #keepGhostBefore(parameters) {
    const drawn = this.parameters;
    if (drawn === undefined) return;
    const settings = this.names.filter((name) => name !== this.configuration.time);
    if (!settings.some((name) => differ(parameters[name], drawn[name]))) return;
    const now = performance.now();
    if (now - this.changedAt > SETTLED) this.view.keepGhost();
    this.changedAt = now;
  }

  /** Lets go of everything that listens. */
  dispose() {
    this.player.stop();
    this.model.off("change", this.onChange);
    this.resizing.disconnect();
    this.summary.dispose();
    if (this.pending !== undefined) cancelAnimationFrame(this.pending);
    this.release?.();
  }
}
