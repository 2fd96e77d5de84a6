// SPDX-License-Identifier: Apache-2.0

const prefixes = ['', 'k', 'M', 'G', 'T'] as const;

/** Three significant digits with a decimal prefix: `1234567` → `["1.23", "M"]`. */
function scaled(value: number): [string, string] {
  let rest = Math.abs(value);
  let step = 0;
  while (rest >= 999.5 && step < prefixes.length - 1) {
    rest /= 1000;
    step += 1;
  }
  const digits = rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  const text = step === 0 && Number.isInteger(rest) ? String(rest) : rest.toFixed(digits);
  return [value < 0 ? `-${text}` : text, prefixes[step] ?? ''];
}

/** `1234567` with `bit/s` → `1.23 Mbit/s`. A unit of its own, such as `packets/s`, stays apart: `1.23 M packets/s`. */
export function formatQuantity(value: number, unit: string): string {
  const [text, prefix] = scaled(value);
  return `${text} ${prefix}${unit === 'bit/s' || prefix === '' || unit === '' ? '' : ' '}${unit}`.trimEnd();
}

/** Whole numbers with separators, for counts a person may want to read exactly: `12,345`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

/** Round-trip time given in microseconds: `312 µs`, `1.25 ms`. */
export function formatRtt(microseconds: number): string {
  return microseconds < 1000
    ? `${Math.round(microseconds)} µs`
    : `${(microseconds / 1000).toFixed(microseconds < 10_000 ? 2 : 1)} ms`;
}

/** A short span: `0.4 ms`, `42 ms`, `1.2 s`. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds >= 999.5) return `${(milliseconds / 1000).toFixed(milliseconds < 9_950 ? 1 : 0)} s`;
  return `${milliseconds < 9.95 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}
