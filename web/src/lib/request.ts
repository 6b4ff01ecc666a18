import { problemOf, unreachable } from "./problem.ts";

const TIMEOUT_MS = 10_000;

export interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
}

/** One HTTP call. Throws a Problem for every outcome but a 2xx. */
export async function request<T>(call: Call, accessToken?: string): Promise<T> {
  const headers = new Headers({ accept: "application/json" });
  if (call.body !== undefined) headers.set("content-type", "application/json");
  if (accessToken !== undefined) headers.set("authorization", `Bearer ${accessToken}`);
  const response = await send(call, headers);
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    // Cut off in the middle, or a captive portal's page: either way this was not the server.
    throw unreachable();
  }
}

async function send({ method, path, body }: Call, headers: Headers): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    return await fetch(path, {
      method,
      headers,
      signal: abort.signal,
      cache: "no-store",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw unreachable();
  } finally {
    clearTimeout(timer);
  }
}
