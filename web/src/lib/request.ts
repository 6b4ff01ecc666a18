import { problemOf, unreachable } from "./problem.ts";

const TIMEOUT_MS = 10_000;
/** A crowd's results take a while to be written, and longer to arrive. */
const FILE_TIMEOUT_MS = 180_000;

export interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  /** Sent as JSON, but for an image. */
  body?: unknown;
}

/** What a file is called, and what is in it. */
export interface NamedFile {
  name: string;
  content: Blob;
}

/** One HTTP call. Throws a Problem for every outcome but a 2xx. */
export async function request<T>(call: Call, accessToken?: string): Promise<T> {
  const response = await answered(call, accessToken, "application/json", TIMEOUT_MS);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    // Cut off in the middle, or a captive portal's page: either way this was not the server.
    throw unreachable();
  }
}

/** The same for a file to keep; a link could not say who asks. */
export async function requestFile(call: Call, accessToken?: string): Promise<NamedFile> {
  const response = await answered(call, accessToken, "*/*", FILE_TIMEOUT_MS);
  const name = nameIn(response.headers.get("content-disposition") ?? "");
  try {
    return { name, content: await response.blob() };
  } catch {
    throw unreachable();
  }
}

/** The name in a Content-Disposition header (RFC 6266), as our server writes it; else a plain one. */
export function nameIn(header: string): string {
  const encoded = /filename\*=UTF-8''([^;]+)/.exec(header)?.[1];
  return encoded === undefined ? "results" : decodeURIComponent(encoded);
}

async function answered(
  call: Call,
  accessToken: string | undefined,
  accept: string,
  timeoutMs: number,
): Promise<Response> {
  const headers = new Headers({ accept });
  if (call.body !== undefined) {
    headers.set("content-type", call.body instanceof Blob ? call.body.type : "application/json");
  }
  if (accessToken !== undefined) headers.set("authorization", `Bearer ${accessToken}`);
  const response = await send(call, headers, timeoutMs);
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function send(
  { method, path, body }: Call,
  headers: Headers,
  timeoutMs: number,
): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    return await fetch(path, {
      method,
      headers,
      signal: abort.signal,
      cache: "no-store",
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
    });
  } catch {
    throw unreachable();
  } finally {
    clearTimeout(timer);
  }
}
