// SPDX-License-Identifier: Apache-2.0
import { User } from 'oidc-client-ts';
import { expect, it } from 'vitest';
import { bodyOf, createApi, type Session } from './client';

/** A log-in that holds one token and may have another one to renew it with. */
class FakeSession implements Session {
  removed = false;
  #token: string;
  readonly #nextToken: string | undefined;

  constructor(token: string, nextToken?: string) {
    this.#token = token;
    this.#nextToken = nextToken;
  }

  getUser() {
    return Promise.resolve(userWith(this.#token));
  }

  signinSilent() {
    if (this.#nextToken === undefined) return Promise.reject(new Error('the session is over'));
    this.#token = this.#nextToken;
    return Promise.resolve(userWith(this.#token));
  }

  removeUser() {
    this.removed = true;
    return Promise.resolve();
  }
}

function userWith(token: string): User {
  return new User({
    access_token: token,
    token_type: 'Bearer',
    profile: { sub: 's', iss: 'i', aud: 'a', exp: 1, iat: 1 },
  });
}

/** Answers the project list to those who hold the token `good`, 401 to all others. */
function answerGoodToken(seen: string[]): typeof fetch {
  return (input) => {
    const token = (input as Request).headers.get('Authorization') ?? '';
    seen.push(token);
    return Promise.resolve(
      token === 'Bearer good'
        ? Response.json({ items: [] })
        : Response.json({ code: 'UNAUTHENTICATED', title: 'Log in', status: 401 }, { status: 401 }),
    );
  };
}

it('renews a token that the API no longer accepts, and asks again', async () => {
  const seen: string[] = [];
  const api = createApi('http://api.test', new FakeSession('old', 'good'), answerGoodToken(seen));

  const page = await bodyOf(api.GET('/v1/projects'));

  expect(page.items).toEqual([]);
  expect(seen).toEqual(['Bearer old', 'Bearer good']);
});

it('ends a session that cannot be renewed and passes the refusal on', async () => {
  const session = new FakeSession('old');
  const api = createApi('http://api.test', session, answerGoodToken([]));

  await expect(bodyOf(api.GET('/v1/projects'))).rejects.toMatchObject({
    status: 401,
    code: 'UNAUTHENTICATED',
  });

  expect(session.removed).toBe(true);
});

it('says so when the API cannot be reached', async () => {
  const api = createApi('http://api.test', new FakeSession('good'), () =>
    Promise.reject(new TypeError('Failed to fetch')),
  );

  await expect(bodyOf(api.GET('/v1/projects'))).rejects.toMatchObject({ status: 0, code: 'UNREACHABLE' });
});
