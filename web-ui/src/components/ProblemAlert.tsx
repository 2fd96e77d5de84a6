// SPDX-License-Identifier: Apache-2.0
import { Alert, Button, Code, Group, List, Text } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import { problemFromThrown } from '#/api/errors';

interface ProblemAlertProps {
  error: unknown;
  /** What could not be done, such as "The load balancers could not be read". */
  title: string;
  onRetry?: () => void;
}

/** A failed request, shown where it matters: what failed, the API's own words, each faulty field, and its code. */
export function ProblemAlert({ error, title, onRetry }: ProblemAlertProps) {
  const problem = problemFromThrown(error);

  return (
    <Alert color="red" variant="light" role="alert" icon={<IconAlertTriangle size={20} />} title={title}>
      <Text size="sm">{problem.message}</Text>
      {problem.faults.length > 0 && (
        <List size="sm" mt={4}>
          {problem.faults.map((fault) => (
            <List.Item key={`${fault.pointer} ${fault.detail}`}>
              <Code>{fault.pointer === '' ? '/' : fault.pointer}</Code> {fault.detail}
            </List.Item>
          ))}
        </List>
      )}
      <Group mt="xs" gap="sm">
        <Code>{problem.code}</Code>
        {problem.retryAfterS !== undefined && (
          <Text size="xs" c="dimmed">
            Try again in {problem.retryAfterS} s.
          </Text>
        )}
        {onRetry !== undefined && (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconRefresh size={14} />}
            onClick={onRetry}
          >
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}
