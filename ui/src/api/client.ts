/**
 * One GET of the API.
 *
 * Remembers the entity tag of the last answers and sends it along, so that unchanged data cost a
 * 304 and the very object handed out before is handed out again, which nobody needs to draw anew.
 * Every failure, of the network or of the server, becomes an `ApiFailure` with a code and a
 * sentence.
 */
import type { ErrorAnswer } from "./types.gen";

export class ApiFailure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly sinceMs: number | null,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 20_000;
const REMEMBERED = 40;
const remembered = new Map<string, { tag: string; body: unknown }>();

const handlers = new Set<(code: string) => void>();

/** Told of every refusal of the server. */
export function onFailure(handler: (code: string) => void): void {
  handlers.add(handler);
}

export function apiUrl(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

/** Whether a request ended because its asker no longer wants it. */
export function isAbort(failure: unknown): boolean {
  return failure instanceof DOMException && failure.name === "AbortError";
}

export async function getJson<T>(path: string, signal: AbortSignal): Promise<T> {
  const known = remembered.get(path);
  let response: Response;
  try {
    response = await fetch(apiUrl(path), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headers: known
        ? { accept: "application/json", "if-none-match": known.tag }
        : { accept: "application/json" },
    });
    if (response.status === 304 && known) return known.body as T;
    if (response.ok) {
      const body = (await response.json()) as T;
      const tag = response.headers.get("etag");
      remembered.delete(path);
      if (tag) remembered.set(path, { tag, body });
      for (const oldest of remembered.keys()) {
        if (remembered.size <= REMEMBERED) break;
        remembered.delete(oldest);
      }
      return body;
    }
  } catch (failure) {
    if (signal.aborted) throw new DOMException("no longer wanted", "AbortError");
    if (failure instanceof DOMException && failure.name === "TimeoutError") {
      throw new ApiFailure("timeout", "The server did not answer within 20 s", 0, null);
    }
    if (failure instanceof SyntaxError) {
      throw new ApiFailure("internal", "The server's answer was not JSON", 0, null);
    }
    throw new ApiFailure("unreachable", "The dashboard server does not answer", 0, null);
  }
  const failure = await readFailure(response);
  for (const handler of handlers) handler(failure.code);
  throw failure;
}

async function readFailure(response: Response): Promise<ApiFailure> {
  const fallback = `The server answered ${response.status}`;
  try {
    const { error } = (await response.json()) as ErrorAnswer;
    return new ApiFailure(error.code, error.message || fallback, response.status, error.since_ms ?? null);
  } catch {
    return new ApiFailure("internal", fallback, response.status, null);
  }
}
