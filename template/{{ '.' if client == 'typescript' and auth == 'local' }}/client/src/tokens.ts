import type { components } from "./schema.js";

/** The tokens of a user, as a login responds with them. */
export type Tokens = Pick<components["schemas"]["Tokens"], "access_token" | "refresh_token">;

/** Where the tokens of one user are kept. */
export interface TokenSource {
  get(): Tokens | undefined | Promise<Tokens | undefined>;
  /** Replace the tokens; `undefined` when the session has ended. */
  set(tokens: Tokens | undefined): void | Promise<void>;
  /**
   * Run an action while no other one runs. A store that several browser tabs share needs it, because
   * a refresh token that is used twice ends the session.
   */
  exclusively?<T>(action: () => Promise<T>): Promise<T>;
}

/** Return a store that loses its tokens when the page or the process ends. */
export function memoryTokens(tokens?: Tokens): TokenSource {
  return {
    get: () => tokens,
    set: (replacement) => {
      tokens = replacement;
    },
  };
}
