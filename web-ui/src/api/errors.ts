// SPDX-License-Identifier: Apache-2.0

/** One fault of a request's body; `pointer` is a JSON Pointer into it. */
export interface FieldFault {
  pointer: string;
  detail: string;
}

/**
 * A request that the API refused or that never reached it. `code` is the API's own (`QUOTA_EXCEEDED`), or one of
 * `UNREACHABLE` and `TIMEOUT`, which the dashboard gives itself; `status` is 0 with those two.
 */
export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly faults: readonly FieldFault[];
  /** When the API said how long to wait. */
  readonly retryAfterS: number | undefined;

  constructor(problem: {
    status: number;
    code: string;
    title: string;
    detail: string;
    faults?: readonly FieldFault[];
    retryAfterS?: number | undefined;
  }) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.code = problem.code;
    this.title = problem.title;
    this.faults = problem.faults ?? [];
    this.retryAfterS = problem.retryAfterS;
  }
}

/** Makes one from what the API answered; `body` is problem+json, or anything at all when a proxy answered instead. */
export function problemFrom(response: Response, body: unknown): ProblemError {
  const fields: Record<string, unknown> =
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined);
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ProblemError({
    status: response.status,
    code: text('code') ?? `HTTP_${response.status}`,
    title: text('title') ?? (response.statusText || 'The request failed'),
    detail: text('detail') ?? text('title') ?? `The API answered with status ${response.status}.`,
    faults: faultsFrom(fields.errors),
    retryAfterS: Number.isFinite(retryAfter) ? retryAfter : undefined,
  });
}

/** Makes one from a thrown value: no network, time ran out, or a defect of ours. */
export function problemFromThrown(thrown: unknown): ProblemError {
  if (thrown instanceof ProblemError) return thrown;
  if (thrown instanceof DOMException && thrown.name === 'TimeoutError') {
    return new ProblemError({
      status: 0,
      code: 'TIMEOUT',
      title: 'No answer in time',
      detail: 'The API did not answer within 10 seconds.',
    });
  }
  return new ProblemError({
    status: 0,
    code: 'UNREACHABLE',
    title: 'The API cannot be reached',
    // The browser's own words for "nobody answered" differ and say nothing to people.
    detail:
      thrown instanceof TypeError
        ? 'Nobody answered. The API may be restarting; this page tries again by itself.'
        : String(thrown),
  });
}

function faultsFrom(errors: unknown): FieldFault[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { pointer, detail } = entry as Record<string, unknown>;
    return [
      {
        pointer: typeof pointer === 'string' ? pointer : '',
        detail: typeof detail === 'string' ? detail : '',
      },
    ];
  });
}
