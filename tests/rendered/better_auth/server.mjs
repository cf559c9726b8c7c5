// A Better Auth server for tests. Users and keys are in memory. It prints its port, then reads one
// command per line and prints the result of each, and exits at the end of its input.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { bearer, jwt } from "better-auth/plugins";

const MINUTES = 10;
const JWKS = "/api/auth/jwks";
const tables = { user: [], session: [], account: [], verification: [], jwks: [], rateLimit: [] };
let handler;
let fetches = 0;

function listen(port) {
  const server = createServer((request, response) => {
    fetches += request.url === JWKS ? 1 : 0;
    handler(request, response);
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

let server = await listen(0);
const { port } = server.address();
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: "the secret of a test, and of nothing else",
  database: memoryAdapter(tables),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  session: { cookieCache: { enabled: true, strategy: "jwt" } },
  plugins: [jwt({ sessionCookieCache: true }), bearer()],
});
handler = toNodeHandler(auth);

const COMMANDS = {
  // Better Auth signs the next token with a new key, and continues to publish the old one.
  rotate() {
    for (const key of tables.jwks) key.expiresAt ??= new Date();
    return tables.jwks.length;
  },
  // The number of requests for the keys.
  fetches() {
    return fetches;
  },
  // Simulate an outage: refuse connections.
  async stop() {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return "stopped";
  },
  async start() {
    if (!server.listening) server = await listen(port);
    return "started";
  },
};

console.log(port);
setTimeout(() => process.exit(1), MINUTES * 60_000);
for await (const command of createInterface({ input: process.stdin })) {
  console.log(await COMMANDS[command]());
}
process.exit();
