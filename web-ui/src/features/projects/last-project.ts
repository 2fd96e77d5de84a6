// SPDX-License-Identifier: Apache-2.0

const lastProjectKey = 'weir.last-project';

export function rememberProject(projectId: string): void {
  localStorage.setItem(lastProjectKey, projectId);
}

/** The remembered project while it still is among those given, else the first of them. */
export function preferredProject(projectIds: readonly string[]): string | undefined {
  const last = localStorage.getItem(lastProjectKey);
  return last !== null && projectIds.includes(last) ? last : projectIds[0];
}
