// SPDX-License-Identifier: Apache-2.0
import { Text, type TextProps } from '@mantine/core';
import type { ReactNode } from 'react';

/** Addresses, ports and ids: fixed width, so that columns of them compare well. */
export function Mono({ children, ...rest }: TextProps & { children: ReactNode }) {
  return (
    <Text span ff="monospace" fz="0.92em" {...rest}>
      {children}
    </Text>
  );
}
