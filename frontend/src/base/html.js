/** Makes an HTML element with attributes and children. */
export function html(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A symbol in print: what stands behind an underscore is set below the line. */
export function symbolic(symbol) {
  const [letter, index] = symbol.split("_");
  const element = html("span", { class: "flb-symbol" }, letter);
  if (index) element.append(html("sub", {}, index));
  return element;
}
