// SPDX-License-Identifier: Apache-2.0
import { Alert, Button, Center, Stack } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Wordmark } from '#/ui/Wordmark';

/** Shown when the dashboard cannot even start. */
export function StartFailure({ reason }: { reason: string }) {
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack maw={480}>
        <Wordmark />
        <Alert color="red" icon={<IconAlertTriangle />} title="The dashboard cannot start" role="alert">
          {reason}
        </Alert>
        <Button variant="default" onClick={() => window.location.reload()}>
          Try again
        </Button>
      </Stack>
    </Center>
  );
}
