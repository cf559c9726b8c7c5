import type { TokenSource } from "./tokens.js";

/** Provides the token, and requests another one when the API has rejected it. */
export class Session {
  #token: string | undefined;
  #requested: Promise<string | undefined> | undefined;
  readonly #source: TokenSource;

  constructor(_baseUrl: string, source: TokenSource) {
    this.#source = source;
  }

  /** Return the token, if the user has signed in. All requests wait for the same one. */
  async token(): Promise<string | undefined> {
    if (this.#token !== undefined) return this.#token;
    this.#requested ??= this.#request().finally(() => {
      this.#requested = undefined;
    });
    return this.#requested;
  }

  /** Replace a rejected token, once for all requests that wait for it. */
  renew(rejected: string): Promise<string | undefined> {
    if (this.#token === rejected) this.#token = undefined;
    return this.token();
  }

  async #request(): Promise<string | undefined> {
    this.#token = (await this.#source()) ?? undefined;
    return this.#token;
  }
}
