// SPDX-License-Identifier: Apache-2.0

/** A span as its two largest units: `3 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0 s';
  const parts: string[] = [];
  let rest = seconds;
  for (const [name, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(' ');
}

/** Time passed since an RFC 3339 instant: `just now`, `4 min 10 s ago`. */
export function formatSince(instant: string, now: number): string {
  const passed = now - Date.parse(instant);
  return passed < 1000 ? 'just now' : `${formatSpan(passed)} ago`;
}

/** The instant in the reader's own zone, to the second. */
export function formatInstant(instant: string): string {
  return new Date(instant).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}
