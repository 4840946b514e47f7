/**
 * Sends events, and keeps those that could not be sent until they can.
 *
 * What may be the last message of a page goes by `sendBeacon`, which outlives the page and delays nothing, but never
 * reports a failure. What is sent while the page stays goes by `fetch` with `keepalive`, whose failure is noticed: no
 * network, an overloaded server (429), or one that cannot store (5xx). Such events wait in memory, never on the
 * device, and go with their age as soon as the network is back, another event got through, or the page is left.
 * An event that the server refuses for what it is (4xx) is not sent again.
 */

/** More would be a burst when the network returns; a page that is read offline has fewer. */
const MAX_WAITING = 20;

export interface TrackedEvent {
  type: string;
  age_ms?: number | undefined;
  [field: string]: unknown;
}

/** One message: the fields of the view in which its event happened, and that event. */
export interface Body {
  view: string;
  events: [TrackedEvent];
  [field: string]: unknown;
}

/** A message, and when its event happened. */
type Message = [body: Body, at: number];

/** Sends a message, and without one what waits; `isLast` says that the page may be gone afterwards. */
export type Outbox = (isLast?: boolean, body?: Body) => void;

/**
 * Returns a message as text. `JSON.stringify` writes halves of surrogate pairs, in which a cut text may end, as
 * escapes that a strict parser refuses; they become the replacement character.
 */
export const textOf = (body: Body): string => JSON.stringify(body).replace(/\\ud[89a-f]../g, "\\ufffd");

/**
 * Returns an outbox. `beacon` hands a text to the browser and returns whether it takes it; `post` delivers one
 * and resolves to the answer.
 */
export const outbox = (
  now: () => number,
  beacon: (text: string) => boolean,
  post: (text: string) => Promise<{ status: number }>,
): Outbox => {
  let waiting: Message[] = [];

  const deliver = (message: Message, isLast?: boolean): void => {
    const [body, at] = message;
    const [event] = body.events;
    const keep = (): void => {
      // Engagement is cumulative: the newest of a view replaces the one before.
      waiting = waiting.filter(
        ([other]) => event.type !== "time" || other.events[0].type !== "time" || other.view !== body.view,
      );
      if (waiting.length < MAX_WAITING) waiting.push(message);
    };
    event.age_ms = Math.round(now() - at) || undefined;
    const text = textOf(body);
    if (isLast && beacon(text)) return;
    post(text).then(({ status }) => (status > 499 || status === 429 ? keep() : retry()), keep);
  };

  const retry = (isLast?: boolean): void => {
    const again = waiting;
    waiting = [];
    for (const message of again) deliver(message, isLast);
  };

  return (isLast, body) => (body ? deliver([body, now()], isLast) : retry(isLast));
};
