// SPDX-License-Identifier: Apache-2.0

/** What the dashboard must know before it can log anyone in; served by the dashboard server as `/config.json`. */
export interface Settings {
  /** The realm's issuer URL. */
  issuer: string;
  clientId: string;
  /** Empty where the dashboard's own server forwards `/v1`. */
  apiBaseUrl: string;
}

/** Reads the settings; rejects with a sentence for people when they are missing or malformed. */
export async function loadSettings(): Promise<Settings> {
  const response = await fetch('/config.json', { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
  if (!response.ok) {
    throw new Error(`The dashboard's settings could not be read: /config.json answered ${response.status}.`);
  }
  const body: unknown = await response.json();
  if (!isSettings(body)) {
    throw new Error("The dashboard's settings in /config.json need issuer, clientId and apiBaseUrl.");
  }
  return body;
}

function isSettings(body: unknown): body is Settings {
  return (
    typeof body === 'object' &&
    body !== null &&
    'issuer' in body &&
    typeof body.issuer === 'string' &&
    'clientId' in body &&
    typeof body.clientId === 'string' &&
    'apiBaseUrl' in body &&
    typeof body.apiBaseUrl === 'string'
  );
}
