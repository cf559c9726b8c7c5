// Tokens of another service: the arguments are its address, and the sessions of two of its users.

import { createApi } from "todo-backend-client";
import { baseUrl, done, during, equal, failure, rest } from "./steps.js";

const [issuer = "", ...sessions] = rest;

function user(session = "") {
  let expired = false;
  const api = createApi({
    baseUrl,
    tokens: async () => {
      if (!expired) {
        const headers = { Authorization: `Bearer ${session}` };
        const response = await fetch(`${issuer}/api/auth/token`, { headers });
        return (await response.json()).token;
      }
      expired = false;
      return "expired";
    },
  });
  return { api, expire: () => (expired = true) };
}

const ada = user(sessions[0]);
const bob = user(sessions[1]);

const body = { title: "Water the plants" };
const task = (await ada.api.POST("/api/tasks", { body })).data;
const one = { params: { path: { task_id: task.id } } };
await ada.api.PATCH("/api/tasks/{task_id}", { ...one, body: { completed: true } });
equal((await ada.api.GET("/api/tasks")).data.items.map((row) => row.completed), [true]);
done("create, update, list");

const missing = await failure(bob.api.GET("/api/tasks/{task_id}", one));
equal([missing.status, missing.code], [404, "NOT_FOUND"]);
equal((await bob.api.GET("/api/tasks")).data.items, []);
const anonymous = createApi({ baseUrl, tokens: () => null });
equal((await failure(anonymous.GET("/api/tasks"))).code, "UNAUTHORIZED");
done("errors and two users");

const eve = user(sessions[0]);
eve.expire();
const read = () => eve.api.GET("/api/tasks/{task_id}", one);
const sent = await during(read, read, read);
equal(sent.filter((request) => request === "GET /api/auth/token").length, 1);
equal(sent.length, 7);
equal((await during(read)).length, 1);
equal((await eve.api.DELETE("/api/tasks/{task_id}", one)).response.status, 204);
done("one new token for all waiting calls");
