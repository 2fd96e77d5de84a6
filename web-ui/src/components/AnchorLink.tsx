// SPDX-License-Identifier: Apache-2.0
import { Anchor, type AnchorProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { Ref } from 'react';

function PlainAnchor(props: AnchorProps & { ref?: Ref<HTMLAnchorElement> }) {
  return <Anchor {...props} />;
}

/** A link to another page, checked against the routes. */
export const AnchorLink = createLink(PlainAnchor);
