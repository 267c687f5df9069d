const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Makes an SVG element.
 * @template {keyof SVGElementTagNameMap} N
 * @param {N} name
 * @param {Record<string, string|number>} [attributes]
 * @param {Element} [parent] where to append it
 */
export function svg(name, attributes = {}, parent = undefined) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  parent?.append(element);
  return element;
}

/** A length in px to a tenth, which is as fine as a picture is drawn. */
export function tenths(length) {
  return Math.round(length * 10) / 10;
}

/**
 * Sets attributes that are lengths in px, to a tenth.
 * @param {Element} element
 * @param {Record<string, number>} lengths
 */
export function setLengths(element, lengths) {
  for (const [name, length] of Object.entries(lengths)) element.setAttribute(name, String(tenths(length)));
}

let count = 0;

/** A fresh id for things that must be referred to, such as clip paths. */
export function freshId(stem) {
  return `flbook-${stem}-${++count}`;
}
