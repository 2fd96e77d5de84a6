// SPDX-License-Identifier: Apache-2.0
import { Button, Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { ProblemAlert } from '#/components/ProblemAlert';
import type { MemberActionsProps } from './MemberActions';
import { useMemberUpdate } from './use-member-update';

/** Asks for a member's new weight. */
export function WeightDialog({ onClose, ...target }: MemberActionsProps & { onClose: () => void }) {
  const { member, pool } = target;
  const [weight, setWeight] = useState<number | string>(member.weight);
  const update = useMemberUpdate(target, onClose);
  const others = pool.members
    .filter(({ id, enabled }) => id !== member.id && enabled)
    .reduce((sum, other) => sum + other.weight, 0);
  const valid = typeof weight === 'number' && Number.isInteger(weight) && weight >= 0 && weight <= 256;

  return (
    <Modal opened onClose={onClose} title={`Weight of ${member.name}`} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (valid) update.mutate({ weight });
        }}
      >
        <Stack gap="sm">
          <NumberInput
            label="Weight"
            description="Share of new flows, 0 to 256; established flows stay where they are"
            value={weight}
            onChange={setWeight}
            min={0}
            max={256}
            allowDecimal={false}
            data-autofocus
          />
          <Text size="sm" c="dimmed" mih={22}>
            {valid && shareText(weight, others)}
          </Text>
          {update.isError && <ProblemAlert title="The weight was not changed" error={update.error} />}
          <Group justify="end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={!valid || weight === member.weight} loading={update.isPending}>
              Change
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function shareText(weight: number, others: number): string {
  if (weight === 0) return 'No new flows; existing ones finish, at the latest when the drain timeout ends.';
  const share = (weight / (weight + others)) * 100;
  return `About ${share.toFixed(share < 10 ? 1 : 0)} % of the pool's new flows, where all its members serve.`;
}
