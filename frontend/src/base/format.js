const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** 10 to a power in print: 0.01, 0.1, 1, 10, 100, 10³ … */
export function formatPower(power) {
  if (power >= -2 && power <= 2) return String(10 ** power).replace("-", "−");
  return `10${superscript(power)}`;
}

function superscript(power) {
  return [...String(power)].map((digit) => SUPERSCRIPTS[digit]).join("");
}

/** A number to a few significant digits, as a reader writes it: −0.0123, 4.56×10⁻⁷. */
export function formatNumber(value, digits = 4) {
  if (Number.isNaN(value)) return "–";
  if (value === Infinity) return "∞";
  if (value === -Infinity) return "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e5 || size < 1e-3) {
    const [mantissa, power] = value.toExponential(digits - 2).split("e");
    text = `${mantissa}×10${superscript(Number(power))}`;
  } else {
    text = value.toPrecision(digits);
    if (text.includes("e")) text = String(Number(text));
  }
  return text.replace(/^-/, "−");
}

/** A tick's label: no trailing zeros. */
export function formatShort(value) {
  const rounded = Number(value.toPrecision(4));
  if (rounded !== 0 && (Math.abs(rounded) >= 1e5 || Math.abs(rounded) < 1e-3)) return formatNumber(rounded, 2);
  return String(rounded).replace("-", "−");
}

/** A count with thousands apart, or a power of ten where it is one: 1 000, 10¹². */
export function formatCount(value) {
  if (value < 1e6) return value.toLocaleString("en-GB").replaceAll(",", "\u202f");
  return formatNumber(value, 2).replace(/^1(\.0*)?×/, "");
}
