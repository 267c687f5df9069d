import "./style.css";
import { explorers } from "./explorers/index.js";
import { Frame } from "./frame/frame.js";

/** Draws the figure of one explorer; called by anywidget for every view. */
function render({ model, el }) {
  const name = model.get("explorer");
  const explorer = explorers[name];
  if (explorer === undefined) throw new Error(`no explorer called ${name}; there are ${Object.keys(explorers).join(", ")}`);
  const frame = new Frame(model, el, explorer);
  return () => frame.dispose();
}

export default { render };
