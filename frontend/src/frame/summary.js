import { html } from "../base/html.js";

const REST = 1000; // ms without a change before a screen reader is told

/** The one sentence that the picture says, and a copy that is read out once the reader's hand rests. */
export class Summary {
  constructor() {
    this.element = html("p", { class: "flb-summary" });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.speaking = undefined;
    this.spoken = html("p", { class: "flb-spoken", role: "status" });
  }

  /** @param {import("../explorers/explorer.js").Phrase | import("../explorers/explorer.js").Phrase[]} summary */
  say(summary) {
    const phrases = [summary].flat().map((phrase) => (typeof phrase === "string" ? { text: phrase, tone: "" } : phrase));
    const text = phrases.map((phrase) => phrase.text).join("");
    if (this.element.textContent === text) return;
    const first = this.element.textContent === "";
    this.element.replaceChildren(
      ...phrases.map(({ text, tone }) => (tone ? html("span", { class: `flb-tone-${tone} flb-word` }, text) : text)),
    );
    this.dispose();
    if (!first) this.speaking = setTimeout(() => (this.spoken.textContent = text), REST);
  }

  dispose() {
    clearTimeout(this.speaking);
  }
}
