// What the walks share. Each is compiled with the client, and run in Node against a served project.

import { ApiError } from "todo-backend-client";

declare const process: { argv: string[] };

/** The arguments of the walk; the first is the address of the API. */
export const [baseUrl = "", ...rest] = process.argv.slice(2);

/** The requests so far, such as `GET /api/tasks`. */
export const requests: string[] = [];

/** The responses that the next requests lose or get instead of those of the API, in this order. */
export const faults: Array<"lost" | Response> = [];

const send = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const request = new Request(input, init);
  requests.push(`${request.method} ${new URL(request.url).pathname}`);
  const fault = faults.shift();
  if (fault instanceof Response) return fault;
  const response = await send(request);
  if (fault === "lost") throw new TypeError("fetch failed");
  return response;
};

export function equal(actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (found !== wanted) throw new Error(`expected ${wanted}, not ${found}`);
}

/** Return the error of a call, which must fail. */
export async function failure(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof ApiError) return error;
  throw new Error(`expected an ApiError, not ${error}`);
}

/** Return what the requests of some calls were. */
export async function during(...calls: Array<() => Promise<unknown>>): Promise<string[]> {
  const before = requests.length;
  await Promise.all(calls.map((call) => call()));
  return requests.slice(before);
}

/** Return the token of the newest link in a mail to an address; the log of the server has them. */
export async function mailedToken(log: string, email: string): Promise<string> {
  const node = "node:fs/promises";
  const { readFile } = await import(node);
  for (let attempt = 0; attempt < 100; attempt++) {
    const text: string = await readFile(log, "utf-8");
    const mails = text.split("mail to ").filter((mail) => mail.startsWith(`${email}:`));
    const token = mails.map((mail) => /[?]token=([\w-]+)/.exec(mail)?.[1]).filter(Boolean).at(-1);
    if (token) return token;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("no mail was sent");
}

export function done(name: string): void {
  console.log(`ok: ${name}`);
}
