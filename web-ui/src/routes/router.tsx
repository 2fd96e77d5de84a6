// SPDX-License-Identifier: Apache-2.0
import { createRootRouteWithContext, createRoute, createRouter } from '@tanstack/react-router';
import type { Api } from '#/api/client';
import { callbackPath } from '#/features/access/session';
import { type ChartSearch, isBreakdown, isRange } from '#/util/chart-search';
import { CallbackRoute } from './CallbackRoute';
import { HomeRoute } from './HomeRoute';
import { LoadBalancerRoute } from './LoadBalancerRoute';
import { LoadBalancersRoute } from './LoadBalancersRoute';
import { NotFoundRoute } from './NotFoundRoute';
import { RootRoute } from './RootRoute';

interface RouterContext {
  api: Api;
}

const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: RootRoute,
  notFoundComponent: NotFoundRoute,
});

const homeRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: HomeRoute });

const callbackRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: callbackPath,
  component: CallbackRoute,
});

const loadBalancersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/projects/$projectId/load-balancers',
  component: LoadBalancersRoute,
  validateSearch: (search: Record<string, unknown>): { name?: string } =>
    typeof search.name === 'string' && search.name !== '' ? { name: search.name } : {},
});

const loadBalancerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/projects/$projectId/load-balancers/$loadBalancerId',
  component: LoadBalancerRoute,
  validateSearch: (search: Record<string, unknown>): ChartSearch => ({
    ...(isRange(search.range) ? { range: search.range } : {}),
    ...(isBreakdown(search.by) ? { by: search.by } : {}),
    ...(typeof search.pop === 'string' ? { pop: search.pop } : {}),
  }),
});

const routeTree = rootRoute.addChildren([homeRoute, callbackRoute, loadBalancersRoute, loadBalancerRoute]);

export function createAppRouter(context: RouterContext) {
  return createRouter({ routeTree, context, defaultPreload: false, scrollRestoration: true });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
