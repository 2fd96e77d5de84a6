// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore } from 'react';
import { formatInstant, formatSince, formatSpan } from '#/util/time';

interface RelativeTimeProps {
  /** RFC 3339. */
  instant: string;
  /** `since`: `4 min 10 s ago`; `span`: `4 min 10 s`; `left`: what remains until then. */
  show?: 'since' | 'span' | 'left';
}

/** A time relative to now that moves on by itself; hovering names the instant. */
export function RelativeTime({ instant, show = 'since' }: RelativeTimeProps) {
  const now = useSyncExternalStore(subscribe, () => seconds * 1000);
  return (
    <time dateTime={instant} title={formatInstant(instant)}>
      {textOf(instant, show, now)}
    </time>
  );
}

function textOf(instant: string, show: NonNullable<RelativeTimeProps['show']>, now: number): string {
  switch (show) {
    case 'since':
      return formatSince(instant, now);
    case 'span':
      return formatSpan(now - Date.parse(instant));
    case 'left':
      return formatSpan(Date.parse(instant) - now);
  }
}

// One timer for all of them, running only while any is on the page.
let seconds = Math.floor(Date.now() / 1000);
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  seconds = Math.floor(Date.now() / 1000);
  timer ??= setInterval(() => {
    seconds = Math.floor(Date.now() / 1000);
    for (const notify of listeners) notify();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
