// Numbers as people write them: a true minus sign, short decimals, fractions for a kernel's weights.

const written = (x) => String(x + 0).replace("-", "−"); // + 0: minus zero is zero

// At most three significant digits, all digits of a whole number: 3.33, −12.7, 1020.
export function formatNumber(x) {
  return written(Math.abs(x) >= 100 ? Math.round(x) : Number(x.toPrecision(3)));
}

// A weight exactly where that is short: −1, 0.25, 1/9. Otherwise like formatNumber.
export function formatWeight(x) {
  if (Math.abs(x * 100 - Math.round(x * 100)) < 1e-9) return written(Math.round(x * 100) / 100);
  for (let denominator = 3; denominator <= 25; denominator++) {
    const numerator = x * denominator;
    if (Math.abs(numerator - Math.round(numerator)) < 1e-9) return `${written(Math.round(numerator))}/${denominator}`;
  }
  return formatNumber(x);
}

// The number that a person wrote: 2, −0.5, 0,5, 1/9. NaN for anything else.
export function parseNumber(text) {
  const [numerator, denominator = "1", ...rest] = text.trim().replace(/[−–]/g, "-").replace(/,/g, ".").split("/");
  const decimal = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
  if (rest.length || !decimal.test(numerator) || !decimal.test(denominator)) return NaN;
  const x = Number(numerator) / Number(denominator);
  return Number.isFinite(x) ? x : NaN;
}
