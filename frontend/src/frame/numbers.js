import { quantityWords } from "../base/catalogue.js";
import { formatNumber } from "../base/format.js";
import { html, symbolic } from "../base/html.js";

function output(name, label) {
  return html("output", { "data-quantity": name, "aria-live": "off", "aria-label": label });
}

/** The live numbers of a figure. */
export class Numbers {
  /**
   * @param {Element} parent
   * @param {object} options
   * @param {import("../explorers/explorer.js").Tile[]} [options.tiles] one number each
   * @param {import("../explorers/explorer.js").Column[]} [options.columns] of a table
   * @param {string[]} [options.rows] of a table: the quantities without the columns' prefixes
   * @param {string} options.label
   */
  constructor(parent, { tiles = [], columns = [], rows = [], label }) {
    /** @type {Map<string, HTMLElement>} */
    this.outputs = new Map();
    /** @type {HTMLElement[]} */
    this.columns = [];
    this.heading = html("span", { class: "flb-numbers-title" });
    this.box = html("div", { class: "flb-numbers", role: "group", "aria-label": label }, this.heading);
    if (columns.length) this.#table(columns, rows);
    for (const tile of tiles) this.#tile(tile);
    parent.append(this.box);
  }

  #add(name, label) {
    const element = output(name, label);
    this.outputs.set(name, element);
    return element;
  }

  /** @param {import("../explorers/explorer.js").Tile} tile */
  #tile({ key, note, tone = "ink", minor = false }) {
    const { label, symbol, when } = quantityWords(key);
    const words = [label, note ?? when].filter(Boolean).join(", ");
    const tile = html(
      "div",
      { class: `flb-tile flb-tone-${tone}${minor ? " flb-minor" : ""}` },
      html("span", { class: "flb-tile-label" }, words, " ", symbolic(symbol)),
      this.#add(key, words),
    );
    this.box.append(tile);
  }

  #table(columns, rows) {
    const table = html("table", { class: "flb-table" });
    const head = html("tr", {}, html("td", {}, this.heading));
    this.columns = columns.map(({ tone }) => html("th", { scope: "col", class: `flb-tone-${tone}` }));
    head.append(...this.columns);
    table.append(html("thead", {}, head));
    const body = html("tbody", {});
    for (const row of rows) {
      const { label: words, symbol, when } = quantityWords(row);
      const label = [words, when].filter(Boolean).join(", ");
      const line = html("tr", {}, html("th", { scope: "row" }, label, " ", symbolic(symbol)));
      columns.forEach(({ prefix, name, tone }) => {
        line.append(html("td", { class: `flb-tone-${tone}` }, this.#add(`${prefix}${row}`, `${label}, ${name}`)));
      });
      body.append(line);
    }
    table.append(body);
    this.box.append(table);
  }

  /**
   * Writes the values; every output must get one.
   * @param {Record<string, number>} values
   * @param {{heading: string, columns?: string[]}} headings
   */
  show(values, { heading, columns = [] }) {
    if (this.heading.textContent !== heading) this.heading.textContent = heading;
    columns.forEach((text, i) => {
      if (this.columns[i].textContent !== text) this.columns[i].textContent = text;
    });
    for (const [name, element] of this.outputs) {
      const value = values[name];
      const exact = String(value);
      if (element.dataset.value === exact) continue;
      element.dataset.value = exact;
      element.textContent = formatNumber(value);
    }
  }
}
