// SPDX-License-Identifier: Apache-2.0
import { Alert, Button, Center, Paper, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconArrowRight } from '@tabler/icons-react';
import { useAuth } from 'react-oidc-context';
import { Wordmark } from '#/ui/Wordmark';
import { signInState } from './session';
import classes from './SignInPage.module.css';

/** What a visitor without a session sees; Keycloak asks for name and password. */
export function SignInPage() {
  const auth = useAuth();

  return (
    <Center component="main" mih="100dvh" p="md" className={classes.page}>
      <Paper withBorder shadow="sm" p={32} w="100%" maw={400}>
        <Stack gap="lg">
          <Wordmark size={34} />
          <div>
            <Title order={1} size="h3" mb={4}>
              Log in to the dashboard
            </Title>
            <Text size="sm" c="dimmed">
              Anycast load balancers of your projects: what runs at the edge, how healthy it is, and what it
              carries now.
            </Text>
          </div>
          {auth.error !== undefined && (
            <Alert color="red" icon={<IconAlertTriangle />} title="The log-in did not work" role="alert">
              {reasonFor(auth.error)}
            </Alert>
          )}
          <Button
            size="md"
            fullWidth
            loading={auth.activeNavigator !== undefined}
            rightSection={<IconArrowRight size={18} />}
            onClick={() => void auth.signinRedirect({ state: signInState() })}
          >
            Log in
          </Button>
        </Stack>
      </Paper>
    </Center>
  );
}

function reasonFor(error: Error): string {
  // What fetch() throws when nobody answers says nothing to people.
  return error instanceof TypeError || error.message === 'Failed to fetch'
    ? 'The log-in service cannot be reached. It may be restarting; try again in a moment.'
    : error.message;
}
