import { read } from "./error-body.js";
import type { ErrorParts } from "./error-body.js";

/** An error response of the API. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The status of the response. */
  readonly status: number;
  /** The code of the error, such as `NOT_FOUND`; `UNKNOWN` if it does not come from the API. */
  readonly code: string;
  /** A message for each invalid field. */
  readonly fields: Readonly<Record<string, string>>;
  /** The response, for its headers; its body has been read. */
  readonly response: Response;

  constructor(response: Response, { code, message, fields }: ErrorParts) {
    super(message);
    this.status = response.status;
    this.code = code;
    this.fields = fields;
    this.response = response;
  }
}

/** Read an error response. A proxy may have sent it, in a format of its own. */
export async function readError(response: Response): Promise<ApiError> {
  const parts = await response.json().then(read).catch(() => undefined);
  const unknown = { code: "UNKNOWN", message: `HTTP ${response.status}`, fields: {} };
  return new ApiError(response, typeof parts?.code === "string" ? parts : unknown);
}
