// User ids in paths, integer ids, PUT, bare arrays, an error envelope, requests with a key, and mails.

import { createApi, memoryTokens } from "todo-backend-client";
import { baseUrl, done, during, equal, failure, faults, mailedToken, rest } from "./steps.js";

const [log = ""] = rest;

async function signIn(name: string) {
  const tokens = memoryTokens();
  const api = createApi({ baseUrl, tokens });
  const body = { email: `${name}-${crypto.randomUUID()}@example.com`, password: "correct horse" };
  const { email } = body;
  const registered = await api.POST("/api/auth/register", { body });
  equal([registered.response.status, registered.data.message !== ""], [202, true]);
  equal((await api.POST("/api/auth/register", { body })).data, registered.data);
  const login = () => api.POST("/api/auth/login", { body });
  const unverified = await failure(login());
  equal([unverified.status, unverified.code], [403, "EMAIL_NOT_VERIFIED"]);
  const token = await mailedToken(log, email);
  equal((await api.POST("/api/auth/verify-email", { body: { token } })).response.status, 204);
  const used = await failure(api.POST("/api/auth/verify-email", { body: { token } }));
  equal([used.status, used.code], [422, "INVALID_TOKEN"]);
  await tokens.set((await login()).data);
  equal((await api.POST("/api/auth/verify-email/resend")).response.status, 202);
  const user = (await api.GET("/api/auth/me")).data;
  equal([user.email, user.email_verified], [email, true]);
  const user_id = String(user.id);
  return { api, tokens, path: { user_id } };
}

const ada = await signIn("ada");
const bob = await signIn("bob");
const mine = { params: { path: ada.path } };
done("register, verify the address, and log in");

const create = (title: string) =>
  ada.api.POST("/api/{user_id}/tasks", { ...mine, body: { title } });
const task = (await create("Water the plants")).data;
const id: number = task.id;
const one = { params: { path: { ...ada.path, task_id: id } } };
const change = { ...one, body: { completed: true } };
const changed = await ada.api.PUT("/api/{user_id}/tasks/{task_id}", change);
equal([changed.data.id, changed.data.completed], [id, true]);
await create("two");
const list = async (query = {}) =>
  (await ada.api.GET("/api/{user_id}/tasks", { params: { path: ada.path, query } })).data;
equal((await list({ limit: 1, offset: 1 })).map((row) => row.id), [id]);
done("create, update, list");

const invalid = await failure(create(""));
equal([invalid.status, invalid.code], [422, "VALIDATION_ERROR"]);
equal(Object.keys(invalid.fields), ["title"]);
const foreign = await failure(bob.api.GET("/api/{user_id}/tasks", mine));
equal([foreign.status, foreign.code], [403, "FORBIDDEN"]);
const theirs = { params: { path: { ...bob.path, task_id: id } } };
equal((await failure(bob.api.GET("/api/{user_id}/tasks/{task_id}", theirs))).status, 404);
done("errors and two users");

const tokens = await ada.tokens.get();
if (tokens) await ada.tokens.set({ ...tokens, access_token: "expired" });
const sent = await during(list, list, list);
equal(sent.filter((request) => request === "POST /api/auth/refresh").length, 1);
done("one refresh for all waiting calls");

const unavailable = (seconds: string) =>
  new Response(null, { status: 503, headers: { "Retry-After": seconds } });
const route = `POST /api/${ada.path.user_id}/tasks`;
faults.push("lost", unavailable("0"));
equal(await during(() => create("once")), [route, route, route]);
equal((await list()).filter((row) => row.title === "once").length, 1);
const bulk = { ...mine, body: [{ title: "both" }, { title: "both" }] };
faults.push("lost");
await ada.api.POST("/api/{user_id}/tasks/bulk", bulk);
equal((await list()).filter((row) => row.title === "both").length, 2);
done("a lost response, and rows that are created once");

faults.push(unavailable("0"), unavailable("0"), unavailable("0"));
let error = await failure(create("never"));
equal([error.status, error.code, faults.length], [503, "UNKNOWN", 0]);
faults.push(unavailable("3600"));
error = await failure(create("never"));
equal([error.status, faults.length], [503, 0]);
faults.push("lost");
const lost = await ada.api.PUT("/api/{user_id}/tasks/{task_id}", change).catch(String);
equal([lost, faults.length], ["TypeError: fetch failed", 0]);
equal((await list()).filter((row) => row.title === "never").length, 0);
done("only a few repetitions, and only with a key");
