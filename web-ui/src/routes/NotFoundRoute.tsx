// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { StateMessage } from '#/ui/StateMessage';

export function NotFoundRoute() {
  return (
    <StateMessage
      icon={<IconMapOff size={26} />}
      title="There is no such page"
      action={
        <Button component={Link} to="/" variant="default" mt="sm">
          Go to the load balancers
        </Button>
      }
    >
      The address may be mistyped, or the page has moved.
    </StateMessage>
  );
}
