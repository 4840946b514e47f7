/**
 * The answer to one panel's question, kept up to date.
 *
 * A resource belongs to one panel, so a slow or failing question leaves the others alone. It keeps
 * the last answer while a new question is under way (`outdated`), starts over when the question
 * changes, asks again on every pulse, and after a failure retries by itself after 1, 2, 4 … 30 s
 * with jitter. What the server refuses (400, 404) it would refuse again, so that is left to a person.
 * Nothing is sent while the page is hidden.
 */
import { effect, type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { pulse, urge, visible } from "../state/live";
import { ApiFailure, isAbort } from "./client";

export interface Failure {
  code: string;
  message: string;
  sinceMs: number;
  /** Infinite: not by itself. */
  retryAtMs: number;
}

export type Load<T> = (question: string, held: T | null, signal: AbortSignal) => Promise<T>;
/** For how long an answer is fresh enough, in milliseconds. */
export type Rest<T> = (data: T) => number;

export function retryDelay(attempt: number, random = Math.random()): number {
  return Math.min(30_000, 1000 * 2 ** attempt) * (0.75 + random * 0.25);
}

export class Resource<T> {
  readonly data: Signal<T | null> = signal(null);
  readonly failure: Signal<Failure | null> = signal(null);
  /** The data shown answer an earlier question. */
  readonly outdated = signal(false);
  #load: Load<T>;
  #rest: Rest<T>;
  #answeredMs = 0;
  #question: string | null = null;
  /** The question `data` answers. */
  #answered: string | null = null;
  #running: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  /** Asked for while a question was under way: to be asked again, or at once however fresh. */
  #again: "" | "calm" | "urgent" = "";

  constructor(load: Load<T>, rest: Rest<T> = () => 0) {
    this.#load = load;
    this.#rest = rest;
  }

  ask(question: string | null): void {
    if (question === this.#question) return;
    this.#question = question;
    this.#stop();
    this.#attempt = 0;
    if (question === null) return;
    this.outdated.value = this.data.peek() !== null && question !== this.#answered;
    void this.#run();
  }

  /** Whether the data are of this question: one that has changed is asked after the next painting. */
  isAnswerOf(question: string): boolean {
    return this.#answered === question;
  }

  /** Asks the same question again, unless it is being asked or has an answer fresh enough. */
  refresh(isUrgent = false): void {
    const held = this.data.peek();
    const rest = isUrgent || held === null ? 0 : this.#rest(held);
    if (performance.now() - this.#answeredMs < rest) return;
    if (this.#running) this.#again = isUrgent || this.#again === "urgent" ? "urgent" : "calm";
    else if (this.failure.peek() === null) void this.#run();
  }

  retryNow(): void {
    this.#stop();
    void this.#run();
  }

  /** The page was hidden or shown. */
  show(shown: boolean): void {
    if (!shown) this.#stop();
    else if (this.#question !== null) void this.#run();
  }

  dispose(): void {
    this.#question = null;
    this.#stop();
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#again = "";
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const question = this.#question;
    if (question === null || !visible.peek() || this.#running) return;
    clearTimeout(this.#timer);
    const running = new AbortController();
    this.#running = running;
    const held = this.#answered === question ? this.data.peek() : null;
    try {
      const data = await this.#load(question, held, running.signal);
      if (this.#running !== running) return;
      this.#answered = question;
      this.#answeredMs = performance.now();
      this.#attempt = 0;
      this.data.value = data;
      this.failure.value = null;
      this.outdated.value = false;
    } catch (failure) {
      if (this.#running !== running || isAbort(failure)) return;
      this.#fail(failure);
    }
    this.#running = null;
    const again = this.#again;
    this.#again = "";
    if (again !== "") this.refresh(again === "urgent");
  }

  #fail(failure: unknown): void {
    const known = failure instanceof ApiFailure ? failure : null;
    const isRefused = known !== null && known.status >= 400 && known.status < 500;
    const delay = isRefused ? Number.POSITIVE_INFINITY : retryDelay(this.#attempt);
    this.#attempt += 1;
    this.failure.value = {
      code: known?.code ?? "internal",
      message: known?.message ?? "The response could not be read",
      sinceMs: this.failure.peek()?.sinceMs ?? known?.sinceMs ?? Date.now(),
      retryAtMs: Date.now() + delay,
    };
    if (!isRefused) this.#timer = setTimeout(() => void this.#run(), delay);
  }
}

/** A resource that lives as long as the component; a null question asks nothing. */
export function useResource<T>(question: string | null, load: Load<T>, rest?: Rest<T>): Resource<T> {
  const resource = useMemo(() => new Resource(load, rest), []);
  useEffect(() => resource.ask(question), [resource, question]);
  useEffect(() => {
    let seen = pulse.peek();
    let urged = urge.peek();
    let shown = visible.peek();
    const stop = effect(() => {
      const now = pulse.value;
      const urgent = urge.value;
      const isShown = visible.value;
      if (isShown !== shown) resource.show(isShown);
      else if (urgent !== urged) resource.refresh(true);
      else if (now !== seen) resource.refresh();
      seen = now;
      urged = urgent;
      shown = isShown;
    });
    return () => {
      stop();
      resource.dispose();
    };
  }, [resource]);
  return resource;
}
