// SPDX-License-Identifier: Apache-2.0
import type { UserManager } from 'oidc-client-ts';
import createClient, { type Client } from 'openapi-fetch';
import { problemFrom, problemFromThrown } from './errors';
import type { paths } from './generated/schema';

export type Api = Client<paths>;

/** What the client needs of the log-in. */
export type Session = Pick<UserManager, 'getUser' | 'signinSilent' | 'removeUser'>;

const timeoutMs = 10_000;

/** A client whose requests carry the session's token. A session that the API no longer accepts is renewed once. */
export function createApi(baseUrl: string, session: Session, transport: typeof fetch = fetch): Api {
  const send = async (request: Request): Promise<Response> => {
    const timeout = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
    const withToken = async (again: Request) => {
      const user = await session.getUser();
      if (user !== null) again.headers.set('Authorization', `Bearer ${user.access_token}`);
      return transport(again, { signal: timeout });
    };
    const spare = request.clone();
    const response = await withToken(request);
    if (response.status !== 401) return response;
    const renewed = await session.signinSilent().catch(() => null);
    if (renewed === null) {
      await session.removeUser();
      return response;
    }
    return withToken(spare);
  };
  return createClient<paths>({ baseUrl, fetch: send });
}

/** What `openapi-fetch` resolves with. */
interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The body of a successful answer; rejects with a {@link ProblemError} otherwise. */
export async function bodyOf<Data>(request: Promise<Answer<Data>>): Promise<NonNullable<Data>> {
  const { data, response } = await answerOf(request);
  if (data === undefined || data === null) throw problemFrom(response, undefined);
  return data;
}

/** The whole successful answer, for callers that need its header fields; rejects with a {@link ProblemError}. */
export async function answerOf<Data>(request: Promise<Answer<Data>>): Promise<Answer<Data>> {
  const answer = await request.catch((thrown: unknown) => {
    // A query that is no longer wanted must stay an AbortError.
    if (thrown instanceof DOMException && thrown.name === 'AbortError') throw thrown;
    throw problemFromThrown(thrown);
  });
  if (!answer.response.ok) throw problemFrom(answer.response, answer.error);
  return answer;
}
