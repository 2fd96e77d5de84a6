// SPDX-License-Identifier: Apache-2.0
import { ActionIcon, Menu, Text } from '@mantine/core';
import { IconLogout, IconUser } from '@tabler/icons-react';
import { useAuth } from 'react-oidc-context';

/** Who is logged in, and the way out. */
export function AccountMenu() {
  const auth = useAuth();
  const profile = auth.user?.profile;
  const name = profile?.email ?? profile?.preferred_username ?? profile?.name ?? profile?.sub ?? '';

  return (
    <Menu position="bottom-end" width={240} shadow="md">
      <Menu.Target>
        <ActionIcon variant="default" size="lg" radius="xl" aria-label="Account">
          <IconUser size={18} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Logged in as</Menu.Label>
        <Text size="sm" fw={500} px="sm" pb="xs" truncate title={name}>
          {name}
        </Text>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void auth.signoutRedirect()}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
