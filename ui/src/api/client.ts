/**
 * One GET of the API, or several at once.
 *
 * Remembers the entity tag of the last answers and sends it along, so that unchanged data cost a
 * 304 and the very object handed out before is handed out again, and nothing is rendered anew.
 * What panels refresh in one turn goes out as one `batch`; what is asked for the first time goes alone,
 * so that no panel waits for another, and so does what a batch has no answer for.
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
const REMEMBERED = 60;
const remembered = new Map<string, { tag: string; body: unknown }>();

const handlers = new Set<(code: string) => void>();

/** Registers a handler that is called with the code of every failure. */
export function onFailure(handler: (code: string) => void): void {
  handlers.add(handler);
}

export function apiUrl(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

/** Returns whether a request was cancelled by its caller. */
export function isAbort(failure: unknown): boolean {
  return failure instanceof DOMException && failure.name === "AbortError";
}

export async function getJson<T>(path: string, signal: AbortSignal): Promise<T> {
  const known = remembered.get(path);
  const response = await request(path, signal, known?.tag);
  if (response.status === 304 && known) return known.body as T;
  return read<T>(path, response.status, response.headers.get("etag"), await readBody(response, signal));
}

/** The same for a panel that has an answer already. */
export async function refreshJson<T>(path: string, signal: AbortSignal): Promise<T> {
  const known = remembered.get(path);
  const part = await askInBatch({ path, tag: known?.tag });
  if (signal.aborted) throw new DOMException("no longer wanted", "AbortError");
  if (part?.status === 304 && known) return known.body as T;
  if (part?.body === undefined) return getJson(path, signal);
  return read<T>(path, part.status, part.tag ?? null, part.body);
}

/** Loads a resource: alone the first time, in a batch with others from then on. */
export function loadJson<T>(path: string, held: T | null, signal: AbortSignal): Promise<T> {
  return held === null ? getJson<T>(path, signal) : refreshJson<T>(path, signal);
}

async function request(path: string, signal: AbortSignal, tag?: string): Promise<Response> {
  try {
    return await fetch(apiUrl(path), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headers: { accept: "application/json", ...(tag ? { "if-none-match": tag } : {}) },
    });
  } catch (failure) {
    throw explain(failure, signal);
  }
}

async function readBody(response: Response, signal: AbortSignal): Promise<unknown> {
  try {
    return await response.json();
  } catch (failure) {
    // A refusal without an envelope, by a proxy for instance.
    if (!response.ok && failure instanceof SyntaxError) return null;
    throw explain(failure, signal);
  }
}

function explain(failure: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return new DOMException("no longer wanted", "AbortError");
  if (failure instanceof DOMException && failure.name === "TimeoutError") {
    return new ApiFailure("timeout", "The server did not answer within 20 s", 0, null);
  }
  if (failure instanceof SyntaxError) {
    return new ApiFailure("internal", "The server's response was not JSON", 0, null);
  }
  return new ApiFailure("unreachable", "The dashboard server does not answer", 0, null);
}

/** Remembers a good answer; throws the error in the envelope of any other. */
function read<T>(path: string, status: number, tag: string | null, body: unknown): T {
  if (status >= 200 && status < 300) {
    remembered.delete(path);
    if (tag) remembered.set(path, { tag, body });
    for (const oldest of remembered.keys()) {
      if (remembered.size <= REMEMBERED) break;
      remembered.delete(oldest);
    }
    return body as T;
  }
  const error = (body as Partial<ErrorAnswer> | null)?.error;
  const failure = new ApiFailure(
    error?.code ?? "internal",
    error?.message || `The server answered ${status}`,
    status,
    error?.since_ms ?? null,
  );
  for (const handler of handlers) handler(failure.code);
  throw failure;
}

interface Question {
  path: string;
  tag: string | undefined;
}

/** The answer to one question of a batch; without a body there is none, or an unchanged one. */
interface Part {
  status: number;
  tag?: string;
  body?: unknown;
}

interface Waiting {
  question: Question;
  resolve(part: Part | undefined): void;
}

/** As the server's: questions in a batch, and a little less than the longest address. */
const MOST = 24;
const LONGEST = 7000;
let waiting: Waiting[] = [];

/** The part of a batch that answers the question; undefined when it has to be asked alone. */
function askInBatch(question: Question): Promise<Part | undefined> {
  return new Promise((resolve) => {
    waiting.push({ question, resolve });
    if (waiting.length === 1) queueMicrotask(sendBatches);
  });
}

function sendBatches(): void {
  const all = waiting;
  waiting = [];
  let batch: Waiting[] = [];
  let query = "";
  const send = (): void => {
    if (batch.length > 0) void sendBatch(batch, query);
    batch = [];
    query = "";
  };
  for (const one of all) {
    const pair = encodeQuestion(one.question);
    if (batch.length === MOST || query.length + pair.length > LONGEST) send();
    batch.push(one);
    query += (query === "" ? "" : "&") + pair;
  }
  send();
}

/** Only what would end a value is encoded: most of an address of a question may stay as it is. */
function encodeQuestion({ path, tag }: Question): string {
  const encode = (text: string): string => text.replace(/[%&+#]/g, encodeURIComponent);
  return `q=${encode(path)}${tag === undefined ? "" : `&t=${encodeURIComponent(tag)}`}`;
}

async function sendBatch(batch: readonly Waiting[], query: string): Promise<void> {
  let parts: (Part | undefined)[] = [];
  // A question that is alone reports its own failure.
  if (batch.length > 1) {
    try {
      const response = await fetch(apiUrl(`batch?${query}`), { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.ok) ({ answers: parts } = (await response.json()) as { answers: Part[] });
    } catch {
      // Each is then asked alone, and reports its own failure.
    }
  }
  for (const [at, { resolve }] of batch.entries()) resolve(parts[at]);
}
