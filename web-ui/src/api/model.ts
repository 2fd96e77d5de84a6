// SPDX-License-Identifier: Apache-2.0

/** Short names for the contract's types. */
import type { components } from './generated/schema';

type Schemas = components['schemas'];

export type Project = Schemas['Project'];
export type ProjectRole = Schemas['ProjectRole'];
export type LoadBalancer = Schemas['LoadBalancer'];
export type Listener = Schemas['Listener'];
export type Pool = Schemas['Pool'];
export type Member = Schemas['Member'];
export type MemberUpdate = Schemas['MemberUpdate'];
export type Pop = Schemas['Pop'];
export type Placement = Schemas['Placement'];
export type LoadBalancerStatus = Schemas['LoadBalancerStatus'];
export type PoolStatus = Schemas['PoolStatus'];
export type MemberStatus = Schemas['MemberStatus'];
export type MemberPopStatus = Schemas['MemberPopStatus'];
export type OperatingStatus = Schemas['OperatingStatus'];
export type Rollout = Schemas['Rollout'];
export type NodeRollout = Schemas['NodeRollout'];
export type NodeRolloutState = Schemas['NodeRolloutState'];
export type Metrics = Schemas['Metrics'];
