// SPDX-License-Identifier: Apache-2.0
import { Anchor, AppShell, Box, Container, Group } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { AccountMenu } from '#/features/access/AccountMenu';
import { ProjectSwitcher } from '#/features/projects/ProjectSwitcher';
import { ColorSchemeToggle } from '#/ui/ColorSchemeToggle';
import { Wordmark } from '#/ui/Wordmark';
import classes from './Shell.module.css';

/** The frame of every page: brand, project, appearance and account on top, the page below. */
export function Shell({ children }: { children: ReactNode }) {
  return (
    <AppShell header={{ height: 56 }} padding={0} className={classes.shell}>
      <AppShell.Header className={classes.header}>
        <Container size={1480} h="100%" px="md">
          <Group h="100%" justify="space-between" wrap="nowrap" gap="sm">
            <Group gap="md" wrap="nowrap" miw={0}>
              <Anchor component={Link} to="/" underline="never" c="inherit" aria-label="Weir, home">
                <Wordmark />
              </Anchor>
              <Box className={classes.divider} aria-hidden />
              <ProjectSwitcher />
            </Group>
            <Group gap="xs" wrap="nowrap">
              <ColorSchemeToggle />
              <AccountMenu />
            </Group>
          </Group>
        </Container>
      </AppShell.Header>
      <AppShell.Main>
        <Container size={1480} px="md" py="lg">
          {children}
        </Container>
      </AppShell.Main>
    </AppShell>
  );
}
