// SPDX-License-Identifier: Apache-2.0
import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { IconDots, IconHourglassLow, IconPlayerPlay, IconScale } from '@tabler/icons-react';
import { useState } from 'react';
import type { Member, Pool, ProjectRole } from '#/api/model';
import { DrainDialog } from './DrainDialog';
import { WeightDialog } from './WeightDialog';

export interface MemberActionsProps {
  projectId: string;
  loadBalancerId: string;
  pool: Pool;
  member: Member;
  /** In all PoPs; undefined while unknown. */
  activeFlows: number | undefined;
  role: ProjectRole | undefined;
}

type Dialog = 'weight' | 'drain' | 'none';

/** What can be done to a member: another weight, drain it, take it back. */
export function MemberActions(props: MemberActionsProps) {
  const { member, role } = props;
  const [dialog, setDialog] = useState<Dialog>('none');
  const refusal = refusalFor(role);
  const close = () => setDialog('none');

  if (refusal !== undefined) {
    return (
      <Tooltip label={refusal}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`Change ${member.name}`}
          aria-description={refusal}
          data-disabled
          aria-disabled
        >
          <IconDots size={18} />
        </ActionIcon>
      </Tooltip>
    );
  }
  return (
    <>
      <Menu position="bottom-end" shadow="md" width={190}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`Change ${member.name}`}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconScale size={16} />} onClick={() => setDialog('weight')}>
            Change the weight…
          </Menu.Item>
          {member.enabled ? (
            <Menu.Item
              leftSection={<IconHourglassLow size={16} />}
              color="red"
              onClick={() => setDialog('drain')}
            >
              Drain…
            </Menu.Item>
          ) : (
            <Menu.Item leftSection={<IconPlayerPlay size={16} />} onClick={() => setDialog('drain')}>
              Take back…
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {dialog === 'weight' && <WeightDialog {...props} onClose={close} />}
      {dialog === 'drain' && <DrainDialog {...props} onClose={close} />}
    </>
  );
}

/** Why the reader may not change members; undefined when they may. */
function refusalFor(role: ProjectRole | undefined): string | undefined {
  switch (role) {
    case undefined:
      return 'Your role in this project is not known yet';
    case 'viewer':
      return 'Changing members needs the role maintainer in this project; yours is viewer';
    case 'maintainer':
    case 'editor':
    case 'admin':
      return undefined;
  }
}
