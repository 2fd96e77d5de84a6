// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { ProblemError, problemFrom, problemFromThrown } from './errors';

it('keeps the code, detail and every pointer of problem+json', () => {
  const response = new Response(null, { status: 422, headers: { 'Retry-After': '3' } });

  const problem = problemFrom(response, {
    title: 'Invalid body',
    code: 'INVALID_BODY',
    detail: 'Two fields are wrong.',
    errors: [{ pointer: '/weight', detail: 'at most 256' }, { pointer: '/name' }, 'nonsense'],
  });

  expect(problem).toMatchObject({
    status: 422,
    code: 'INVALID_BODY',
    title: 'Invalid body',
    message: 'Two fields are wrong.',
    retryAfterS: 3,
    faults: [
      { pointer: '/weight', detail: 'at most 256' },
      { pointer: '/name', detail: '' },
    ],
  });
});

it('an answer that is no problem+json still says its status', () => {
  const problem = problemFrom(new Response(null, { status: 502, statusText: 'Bad Gateway' }), '<html>');

  expect(problem).toMatchObject({ code: 'HTTP_502', title: 'Bad Gateway', retryAfterS: undefined });
});

it('tells a time-out from a network that is away', () => {
  expect(problemFromThrown(new DOMException('x', 'TimeoutError')).code).toBe('TIMEOUT');
  expect(problemFromThrown(new TypeError('Failed to fetch')).code).toBe('UNREACHABLE');
});

it('passes a problem through unchanged', () => {
  const problem = new ProblemError({ status: 404, code: 'NOT_FOUND', title: 'Not found', detail: 'gone' });

  expect(problemFromThrown(problem)).toBe(problem);
});
