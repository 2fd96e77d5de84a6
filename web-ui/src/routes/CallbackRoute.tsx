// SPDX-License-Identifier: Apache-2.0
import { Center, Loader } from '@mantine/core';

/** Where Keycloak returns to; the session is set up around it, and then another page takes its place. */
export function CallbackRoute() {
  return (
    <Center py={80} role="status" aria-label="Logging in">
      <Loader />
    </Center>
  );
}
