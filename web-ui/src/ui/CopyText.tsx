// SPDX-License-Identifier: Apache-2.0
import { CopyButton, Tooltip, UnstyledButton } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import classes from './CopyText.module.css';
import { Mono } from './Mono';

/** An address or id that a click copies. */
export function CopyText({ value }: { value: string }) {
  return (
    <CopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : 'Copy'}>
          <UnstyledButton className={classes.button} onClick={copy} aria-label={`Copy ${value}`}>
            <Mono>{value}</Mono>
            {copied ? (
              <IconCheck size={13} className={classes.icon} />
            ) : (
              <IconCopy size={13} className={classes.icon} />
            )}
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}
