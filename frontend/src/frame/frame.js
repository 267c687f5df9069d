import presets from "../../../flbook/shared/presets.json" with { type: "json" };
import { attendControls } from "./controls.js";
import { html } from "../base/html.js";
import { Numbers } from "./numbers.js";
import { catalogue, differ, fromPosition, parameterNames, specification, toPosition } from "../base/parameters.js";
import { Player } from "./player.js";
import { paint } from "./theme.js";

const SETTLED = 600; // ms without a change after which the next one starts a new comparison
const SPOKEN = 1000; // ms of rest before a screen reader is told
const PLAY = 5000; // ms from the start of training to its end

/**
 * The frame round every explorer's picture: it turns the widget's traits into parameters, has the explorer
 * compute and draw, and gives it numbers, presets, play, reset and a ghost of the last setting.
 */
export class Frame {
  /**
   * @param {object} model the anywidget model
   * @param {HTMLElement} el
   * @param {object} explorer a module of ../explorers
   */
  constructor(model, el, explorer) {
    this.model = model;
    this.explorer = explorer;
    this.configuration = catalogue[explorer.name];
    this.names = parameterNames(explorer.name);
    this.timeName = this.configuration.time;
    this.extras = Object.fromEntries((explorer.extras ?? []).map((name) => [name, model.get(name)]));
    this.changedAt = -Infinity;
    this.#build(el);
    this.onChange = () => this.#schedule();
    model.on("change", this.onChange);
    this.resizing = new ResizeObserver(() => this.#resized());
    this.resizing.observe(this.charts);
  }

  #build(el) {
    const { title } = this.configuration;
    this.root = html("div", { class: "flb", "data-flbook-explorer": this.explorer.name, role: "group", "aria-label": title });
    paint(this.root);
    this.summary = html("p", { class: "flb-summary" });
    this.charts = html("div", { class: "flb-charts" });
    this.spoken = html("p", { class: "flb-spoken", role: "status" });
    this.root.append(this.summary, this.charts, this.spoken);
    this.view = this.explorer.createView(this.charts, {
      pickTime: (place) => this.#pickTime(place),
      read: () => this.#read(),
      set: (values) => this.#set(values),
      replay: () => this.player.restart(),
      extras: this.extras,
    });
    this.numbers = new Numbers(this.root, { ...this.explorer.numbers, label: "Numbers" });
    this.root.append(this.#actions());
    el.append(this.root);
  }

  #actions() {
    const row = html("div", { class: "flb-actions" });
    const time = specification(this.explorer.name, this.timeName);
    this.playButton = html("button", { type: "button", class: "flb-button flb-play" });
    this.player = new Player({
      duration: PLAY,
      read: () => toPosition(time, this.model.get(this.timeName)),
      write: (place) => {
        this.#set({ [this.timeName]: fromPosition(time, place) }, false);
        if (place >= 1) this.model.save_changes();
      },
      changed: (playing) => this.#showPlaying(playing),
    });
    this.playButton.addEventListener("click", () => this.player.toggle());
    this.#showPlaying(false);
    const group = html("div", { class: "flb-presets", role: "group", "aria-label": "Presets" });
    this.presetButtons = this.configuration.presets.map((name) => {
      const { label, meaning } = presets[name];
      const button = html("button", { type: "button", class: "flb-button", title: meaning, "data-preset": name }, label);
      button.addEventListener("click", () => this.#set(this.#presetValues(name)));
      group.append(button);
      return button;
    });
    const reset = html("button", { type: "button", class: "flb-button flb-reset", title: "back to the start" }, "Reset");
    reset.addEventListener("click", () => {
      this.player.stop();
      this.#set(this.model.get("start"));
    });
    row.append(this.playButton, reset, group);
    return row;
  }

  #showPlaying(playing) {
    const { plays = "the training" } = this.configuration;
    this.playButton.textContent = playing ? "❚❚ Pause" : "▶ Play";
    this.playButton.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${plays}`);
    if (!playing) this.model.save_changes();
  }

  /** A preset's values, at the width that is set now where they are powers of it and the exponents are no parameters. */
  #presetValues(name) {
    const preset = presets[name];
    if (preset.values) return preset.values;
    if (this.explorer.preset) return this.explorer.preset(preset, this.#read());
    const { gamma, sigma2_u, sigma2_w, eta_u, eta_w } = preset.exponents ?? this.model.get("scalings")[preset.scaling];
    if (this.names.includes("c_gamma")) return { c_gamma: gamma, c_u: sigma2_u, c_w: sigma2_w, e_u: eta_u, e_w: eta_w };
    const width = Math.round(this.model.get("width"));
    const power = (exponent) => width ** exponent;
    const wanted = {
      gamma: power(gamma),
      sigma_u: power(sigma2_u / 2),
      sigma_w: power(sigma2_w / 2),
      eta_u: power(eta_u),
      eta_w: power(eta_w),
    };
    return Object.fromEntries(Object.entries(wanted).filter(([key]) => this.names.includes(key)));
  }

  #set(values, save = true) {
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    if (save) this.model.save_changes();
  }

  #pickTime(place) {
    this.player.stop();
    this.#set({ [this.timeName]: fromPosition(specification(this.explorer.name, this.timeName), place) });
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

  #read() {
    return Object.fromEntries(this.names.map((name) => [name, this.model.get(name)]));
  }

  #redraw() {
    if (this.pending !== undefined) cancelAnimationFrame(this.pending);
    this.pending = undefined;
    if (!this.width) return;
    const parameters = this.#read();
    const settings = this.names.filter((name) => name !== this.timeName);
    if (this.parameters && settings.some((name) => differ(parameters[name], this.parameters[name]))) {
      const now = performance.now();
      if (now - this.changedAt > SETTLED) this.view.keepGhost();
      this.changedAt = now;
    }
    this.parameters = parameters;
    const result = this.explorer.compute(parameters, this.extras);
    this.view.draw(result);
    this.numbers.show(result.quantities, result.headings);
    this.#say(result.summary);
    this.root.dataset.parameters = JSON.stringify(result.parameters, (_, value) => (value === Infinity ? "Infinity" : value));
    for (const button of this.presetButtons) button.setAttribute("aria-pressed", String(this.#matches(button.dataset.preset)));
    this.root.dataset.ready = "true";
  }

  /** Writes the one sentence that the picture says, and has it read out once the reader's hand rests. */
  #say(summary) {
    const parts = [summary].flat().map((part) => (typeof part === "string" ? { text: part } : part));
    const text = parts.map((part) => part.text).join("");
    if (this.summary.textContent === text) return;
    const first = this.summary.textContent === "";
    this.summary.replaceChildren(
      ...parts.map((part) => (part.tone ? html("span", { class: `flb-tone-${part.tone} flb-word` }, part.text) : part.text)),
    );
    clearTimeout(this.speaking);
    if (!first) this.speaking = setTimeout(() => (this.spoken.textContent = text), SPOKEN);
  }

  #matches(preset) {
    return Object.entries(this.#presetValues(preset)).every(([name, value]) => !differ(this.parameters[name], value));
  }

  /** Lets go of everything that listens. */
  dispose() {
    this.player.stop();
    this.model.off("change", this.onChange);
    this.resizing.disconnect();
    clearTimeout(this.speaking);
    if (this.pending !== undefined) cancelAnimationFrame(this.pending);
    this.release?.();
  }
}
