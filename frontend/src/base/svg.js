const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Makes an SVG element.
 * @param {string} name
 * @param {Record<string, string|number>} [attributes]
 * @param {Element} [parent] where to append it
 */
export function svg(name, attributes = {}, parent = undefined) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

let count = 0;

/** A fresh id for things that must be referred to, such as clip paths. */
export function freshId(stem) {
  return `flbook-${stem}-${++count}`;
}
