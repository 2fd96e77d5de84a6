// SPDX-License-Identifier: Apache-2.0
import { queryOptions, type QueryClient } from '@tanstack/react-query';
import { type Range, rangeMs } from '#/util/chart-search';
import { type Api, bodyOf } from './client';
import type { Metrics } from './model';

/** How often what the edge reports is read again. */
const liveMs = 3_000;
const specMs = 10_000;

/** The projects in which the person holds a role. */
export function projectsQuery(api: Api) {
  return queryOptions({
    queryKey: ['projects'],
    queryFn: ({ signal }) => bodyOf(api.GET('/v1/projects', { params: { query: { limit: 200 } }, signal })),
    staleTime: 60_000,
  });
}

/** One page of load balancers; `cursor` is absent for the first. */
export function loadBalancersQuery(api: Api, projectId: string, cursor?: string) {
  return queryOptions({
    queryKey: ['projects', projectId, 'load-balancers', { cursor: cursor ?? null }],
    queryFn: ({ signal }) =>
      bodyOf(
        api.GET('/v1/projects/{project_id}/load-balancers', {
          params: {
            path: { project_id: projectId },
            query: { limit: 50, ...(cursor === undefined ? {} : { cursor }) },
          },
          signal,
        }),
      ),
    refetchInterval: specMs,
  });
}

function loadBalancerPath(projectId: string, loadBalancerId: string) {
  return { path: { project_id: projectId, load_balancer_id: loadBalancerId } };
}

export function loadBalancerKey(projectId: string, loadBalancerId: string) {
  return ['projects', projectId, 'load-balancer', loadBalancerId] as const;
}

export function loadBalancerQuery(api: Api, projectId: string, loadBalancerId: string) {
  return queryOptions({
    queryKey: [...loadBalancerKey(projectId, loadBalancerId), 'spec'],
    queryFn: ({ signal }) =>
      bodyOf(
        api.GET('/v1/projects/{project_id}/load-balancers/{load_balancer_id}', {
          params: loadBalancerPath(projectId, loadBalancerId),
          signal,
        }),
      ),
    refetchInterval: specMs,
  });
}

export function statusQuery(api: Api, projectId: string, loadBalancerId: string, everyMs = liveMs) {
  return queryOptions({
    queryKey: [...loadBalancerKey(projectId, loadBalancerId), 'status'],
    queryFn: ({ signal }) =>
      bodyOf(
        api.GET('/v1/projects/{project_id}/load-balancers/{load_balancer_id}/status', {
          params: loadBalancerPath(projectId, loadBalancerId),
          signal,
        }),
      ),
    refetchInterval: everyMs,
  });
}

export function rolloutQuery(api: Api, projectId: string, loadBalancerId: string) {
  return queryOptions({
    queryKey: [...loadBalancerKey(projectId, loadBalancerId), 'rollout'],
    queryFn: ({ signal }) =>
      bodyOf(
        api.GET('/v1/projects/{project_id}/load-balancers/{load_balancer_id}/rollout', {
          params: loadBalancerPath(projectId, loadBalancerId),
          signal,
        }),
      ),
    refetchInterval: liveMs,
  });
}

/** Steps long enough that a range stays far below the API's limit of 720 of them. */
function stepOf(range: Range): '10s' | '1m' | '5m' {
  switch (range) {
    case '5m':
    case '15m':
    case '1h':
      return '10s';
    case '6h':
      return '1m';
    case '24h':
      return '5m';
  }
}

/** How far back rows may still have grown since they were last read. */
const tailMs = 60_000;

/**
 * The counters of a range up to now. After the first read only the tail is asked for, and joined to what is there, so
 * that a page left open costs little.
 */
export function metricsQuery(
  api: Api,
  queryClient: QueryClient,
  projectId: string,
  loadBalancerId: string,
  range: Range,
  everyMs = liveMs,
) {
  const queryKey = [...loadBalancerKey(projectId, loadBalancerId), 'metrics', range] as const;
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }) => {
      const before = queryClient.getQueryData<Metrics>(queryKey);
      const start = Date.now() - rangeMs(range);
      const tailStart =
        before === undefined ? start : Date.parse(before.to) - Math.max(tailMs, 2 * before.step_s * 1000);
      const from = wholeStep(Math.max(start, tailStart), before?.step_s ?? 10);
      const read = await bodyOf(
        api.GET('/v1/projects/{project_id}/load-balancers/{load_balancer_id}/metrics', {
          params: {
            ...loadBalancerPath(projectId, loadBalancerId),
            query: { from: new Date(from).toISOString(), to: new Date().toISOString(), step: stepOf(range) },
          },
          signal,
        }),
      );
      return joined(before, read, start);
    },
    refetchInterval: everyMs,
  });
}

/** Rows of a step come whole only when the window starts where a step does. */
function wholeStep(instant: number, stepS: number): number {
  const stepMs = stepS * 1000;
  return Math.floor(instant / stepMs) * stepMs;
}

/** `tail` replaces what `before` knew from its start on; rows older than `startMs` are forgotten. */
export function joined(before: Metrics | undefined, tail: Metrics, startMs: number): Metrics {
  const tailFrom = Date.parse(tail.from);
  const kept = (before?.rows ?? []).filter(({ time }) => {
    const instant = Date.parse(time);
    return instant >= startMs && instant < tailFrom;
  });
  const gap = before === undefined || Date.parse(before.to) < tailFrom;
  return { ...tail, from: gap ? tail.from : new Date(startMs).toISOString(), rows: [...kept, ...tail.rows] };
}
