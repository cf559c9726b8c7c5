import type { components } from "./schema.js";

type ErrorBody = components["schemas"]["ErrorBody"];

export interface ErrorParts {
  code: string;
  message: string;
  fields: Record<string, string>;
}

/** Read problem details (RFC 9457). */
export function read(body: ErrorBody): ErrorParts {
  return { code: body.error_code, message: body.detail, fields: body.errors ?? {} };
}
