// SPDX-License-Identifier: Apache-2.0
import { Group, Text } from '@mantine/core';

/** The product's mark and name. */
export function Wordmark({ size = 26 }: { size?: number }) {
  return (
    <Group gap={size * 0.38} wrap="nowrap">
      <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden>
        <rect width="32" height="32" rx="8" fill="#0b7285" />
        <path d="M5 11h9c3.5 0 3.5 5 7 5h6" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
        <path d="M5 16h6c3.5 0 3.5 5 7 5h9" stroke="#99e9f2" strokeWidth="2.6" strokeLinecap="round" />
      </svg>
      <Text span fw={700} fz={size * 0.66} lts="-0.02em">
        Weir
      </Text>
    </Group>
  );
}
