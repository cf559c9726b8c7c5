import type { components } from "./schema.js";

type ErrorBody = components["schemas"]["ErrorBody"];

export interface ErrorParts {
  code: string;
  message: string;
  fields: Record<string, string>;
}

/** Read an error envelope. */
export function read({ error }: ErrorBody): ErrorParts {
  return { code: error.code, message: error.message, fields: error.details ?? {} };
}
