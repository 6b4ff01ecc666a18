/** RFC 9457 as the server sends it, and the same shape for what never reached the server. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly code: string,
    readonly status: number,
    readonly title: string,
    readonly detail: string | null = null,
    readonly retryAfterMs: number | null = null,
  ) {
    super(`${code} (${status}): ${title}`);
  }

  /** The same request may succeed later: no network, too many requests, a fault of the server. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export const unreachable = () => new Problem("server_unreachable", 0, "No answer from the server");
export const loginLapsed = () => new Problem("login_lapsed", 401, "This login has lapsed");

export async function problemOf(response: Response): Promise<Problem> {
  const body = await fieldsOf(response);
  const text = (name: string) => (typeof body[name] === "string" ? body[name] : null);
  return new Problem(
    text("code") ?? `http_${response.status}`,
    response.status,
    text("title") ?? response.statusText,
    text("detail"),
    waitMsOf(response.headers.get("retry-after")),
  );
}

async function fieldsOf(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? { ...body } : {};
  } catch {
    // A gateway between us and the server may answer with a page of its own.
    return {};
  }
}

function waitMsOf(header: string | null): number | null {
  const seconds = Number(header);
  return header !== null && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
