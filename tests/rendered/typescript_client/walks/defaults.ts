// Own users, UUIDs, PATCH, numbered pages and problem details.

import { createApi, memoryTokens } from "todo-backend-client";
import type { Api, TokenSource, components } from "todo-backend-client";
import { baseUrl, done, during, equal, failure, requests } from "./steps.js";

type Task = components["schemas"]["TaskRead"];

const password = "correct horse";

async function signIn(name: string): Promise<{ api: Api; tokens: TokenSource; id: string }> {
  const tokens = memoryTokens();
  const api = createApi({ baseUrl: `${baseUrl}/`, tokens });
  const email = `${name}-${crypto.randomUUID()}@example.com`;
  const user = await api.POST("/api/auth/register", { body: { email, password, name } });
  const login = await api.POST("/api/auth/login", { body: { email, password } });
  await tokens.set(login.data);
  const me = await api.GET("/api/auth/me");
  equal(me.data, user.data);
  return { api, tokens, id: user.data.id };
}

const ada = await signIn("Ada");
const bob = await signIn("Bob");
done("register and log in");

const created = await ada.api.POST("/api/tasks", {
  body: { title: "Water the plants", tags: ["home"] },
});
const task: Task = created.data;
equal([created.response.status, task.user_id, task.completed], [201, ada.id, false]);
const one = { params: { path: { task_id: task.id } } };
equal((await ada.api.GET("/api/tasks/{task_id}", one)).data, task);
const changed = await ada.api.PATCH("/api/tasks/{task_id}", { ...one, body: { priority: "high" } });
equal([changed.data.title, changed.data.priority], [task.title, "high"]);
done("create, read, update");

for (const title of ["two", "three"]) await ada.api.POST("/api/tasks", { body: { title } });
const query = { page_size: 2, sort: "title", priority: "medium" } as const;
const page = (await ada.api.GET("/api/tasks", { params: { query } })).data;
equal(page.items.map((item) => item.title), ["three", "two"]);
equal([page.pagination.total, page.pagination.has_next], [2, false]);
done("pages");

const missing = await failure(bob.api.GET("/api/tasks/{task_id}", one));
equal([missing.status, missing.code, missing.fields], [404, "NOT_FOUND", {}]);
equal((await bob.api.GET("/api/tasks")).data.items, []);
done("two users");

const invalid = await failure(ada.api.POST("/api/tasks", { body: { title: "" } }));
equal([invalid.status, invalid.code], [422, "VALIDATION_ERROR"]);
equal([Object.keys(invalid.fields), invalid.message !== ""], [["title"], true]);
const etag = { "If-Match": '"another"' };
const stale = await failure(ada.api.DELETE("/api/tasks/{task_id}", { ...one, headers: etag }));
equal([stale.status, stale.code], [412, "PRECONDITION_FAILED"]);
const anonymous = createApi({ baseUrl, tokens: memoryTokens() });
equal((await failure(anonymous.GET("/api/tasks"))).code, "UNAUTHORIZED");
const wrong = { body: { email: "nobody@example.com", password } };
const login = () => failure(ada.api.POST("/api/auth/login", wrong));
equal(await during(login), ["POST /api/auth/login"]);
done("errors");

async function expire(): Promise<void> {
  const tokens = await ada.tokens.get();
  if (tokens) await ada.tokens.set({ ...tokens, access_token: "expired" });
}

const read = () => ada.api.GET("/api/tasks/{task_id}", one);
await expire();
const sent = await during(read, read, read, read, () =>
  ada.api.POST("/api/tasks", { body: { title: "four" } }),
);
equal(sent.filter((request) => request === "POST /api/auth/refresh").length, 1);
equal(sent.length, 11);
equal((await during(read)).length, 1);
await expire();
equal((await during(read)).length, 3);
const renewed = await ada.tokens.get();
let reads = 0;
const shared = {
  ...ada.tokens,
  get: () => renewed && { ...renewed, ...(reads++ ? {} : { access_token: "expired" }) },
};
const tab = createApi({ baseUrl, tokens: shared });
const inTab = await during(() => tab.GET("/api/tasks"));
equal(inTab, ["GET /api/tasks", "GET /api/tasks"]);
done("one refresh for all waiting calls, and none after that of another tab");

equal((await ada.api.DELETE("/api/tasks/{task_id}", one)).data, undefined);
equal((await failure(read())).status, 404);
const refresh_token = (await ada.tokens.get())?.refresh_token ?? "";
await ada.api.POST("/api/auth/logout", { body: { refresh_token } });
equal((await failure(read())).status, 401);
equal(requests.at(-1), "POST /api/auth/refresh");
equal(await ada.tokens.get(), undefined);
done("delete and log out");
