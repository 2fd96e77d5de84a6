// SPDX-License-Identifier: Apache-2.0
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { ProblemAlert } from '#/components/ProblemAlert';
import { formatSpan } from '#/util/time';
import { formatCount } from '#/util/units';
import type { MemberActionsProps } from './MemberActions';
import { useMemberUpdate } from './use-member-update';

/** Confirms that a member is drained, or taken back when it is drained already. */
export function DrainDialog({ onClose, ...target }: MemberActionsProps & { onClose: () => void }) {
  const { member, pool, activeFlows } = target;
  const update = useMemberUpdate(target, onClose);
  const drains = member.enabled;
  const flows =
    activeFlows === undefined
      ? 'existing flows'
      : `${formatCount(activeFlows)} active ${activeFlows === 1 ? 'flow' : 'flows'}`;

  return (
    <Modal
      opened
      onClose={onClose}
      title={drains ? `Drain ${member.name}?` : `Take ${member.name} back?`}
      centered
    >
      <Stack gap="md">
        <Text size="sm">
          {drains
            ? `It gets no new flows from now on. Its ${flows} may finish; what is left after ${formatSpan(pool.drain_timeout_s * 1000)} is cut.`
            : `It gets new flows again, with weight ${member.weight}, once it is healthy.`}
        </Text>
        {update.isError && (
          <ProblemAlert
            title={drains ? 'The member was not drained' : 'The member was not taken back'}
            error={update.error}
          />
        )}
        <Group justify="end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button
            {...(drains ? { color: 'red' } : {})}
            loading={update.isPending}
            onClick={() => update.mutate({ enabled: !drains })}
          >
            {drains ? 'Drain' : 'Take back'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
