// SPDX-License-Identifier: Apache-2.0
import { User } from 'oidc-client-ts';
import { expect, it } from 'vitest';
import { returnAddress } from './session';

function userReturningTo(returnTo: unknown): User {
  return new User({
    access_token: 'token',
    token_type: 'Bearer',
    profile: { sub: 's', iss: 'i', aud: 'a', exp: 1, iat: 1 },
    userState: { returnTo },
  });
}

it('goes back to the page that asked for the log-in', () => {
  expect(returnAddress(userReturningTo('/projects/prj_1/load-balancers?q=web'))).toBe(
    '/projects/prj_1/load-balancers?q=web',
  );
});

it.each(['https://evil.example', '//evil.example', '/\\evil.example', 7, undefined])(
  'goes home instead of to %s',
  (address) => {
    expect(returnAddress(userReturningTo(address))).toBe('/');
  },
);

it('goes home when nothing was remembered', () => {
  expect(returnAddress(undefined)).toBe('/');
});
