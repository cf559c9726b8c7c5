type Token = string | null | undefined;

/** Returns a token of the issuer for one user: a new one, each time that it is called. */
export type TokenSource = () => Token | Promise<Token>;
