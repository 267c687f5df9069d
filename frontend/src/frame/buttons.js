import { presets } from "../base/catalogue.js";
import { html } from "../base/html.js";

function button(attributes, text, press) {
  const element = html("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", press);
  return element;
}

/** The row of Play, Reset and the presets. */
export class Buttons {
  /**
   * @param {object} options
   * @param {string[]} options.presets names in shared/presets.json
   * @param {string} options.plays what Play plays
   * @param {() => void} options.play
   * @param {() => void} options.reset
   * @param {(preset: string) => void} options.choose
   */
  constructor({ presets: names, plays, play, reset, choose }) {
    this.plays = plays;
    this.playing = button({ class: "flb-button flb-play" }, "", play);
    this.presets = names.map((name) => {
      const { label, meaning } = presets[name];
      return button({ class: "flb-button", title: meaning, "data-preset": name }, label, () => choose(name));
    });
    this.element = html(
      "div",
      { class: "flb-actions" },
      this.playing,
      button({ class: "flb-button flb-reset", title: "back to the start" }, "Reset", reset),
      html("div", { class: "flb-presets", role: "group", "aria-label": "Presets" }, ...this.presets),
    );
    this.showPlaying(false);
  }

  showPlaying(playing) {
    this.playing.textContent = playing ? "❚❚ Pause" : "▶ Play";
    this.playing.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${this.plays}`);
  }

  /** Marks the presets that are set. */
  showChosen(isChosen) {
    for (const element of this.presets) element.setAttribute("aria-pressed", String(isChosen(element.dataset.preset)));
  }
}
