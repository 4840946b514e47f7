/**
 * The address of what is on the screen.
 *
 * `<base>v/<view>?host=1&from=now-6h&to=now&q=…&sort=-rss_bytes&f.issue=cpu`. The codec is pure and
 * total: any text parses to a place, a place prints to one spelling, and printing then parsing gives
 * the same place. Parameters it does not know are kept, so that an older build does not lose them.
 */
export interface Place {
  view: string;
  /** Every parameter, each with its values in order. */
  params: Readonly<Record<string, readonly string[]>>;
}

/** Parameters that survive a change of view. */
const SHARED = ["host", "from", "to", "zone", "theme", "density", "bands"] as const;
export const FIRST_VIEW = "now";

export function parsePlace(basePath: string, pathAndQuery: string): Place {
  const cut = pathAndQuery.indexOf("?");
  const path = cut < 0 ? pathAndQuery : pathAndQuery.slice(0, cut);
  const inside = path.startsWith(basePath) ? path.slice(basePath.length) : path.replace(/^\//, "");
  const named = /^v\/([^/]*)\/?$/.exec(inside);
  const view = named?.[1] ? safeDecode(named[1]) : inside === "" || inside === "v/" ? FIRST_VIEW : inside;
  const params: Record<string, string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(cut < 0 ? "" : pathAndQuery.slice(cut + 1))) {
    const held = params[name];
    if (held) held.push(value);
    else params[name] = [value];
  }
  return { view, params };
}

export function formatPlace(basePath: string, place: Place): string {
  const path = `${basePath}v/${encodeURIComponent(place.view)}`;
  const query = formatParams(place.params);
  return query ? `${path}?${query}` : path;
}

export function formatParams(params: Place["params"]): string {
  const rank = (name: string): number => {
    const at = (SHARED as readonly string[]).indexOf(name);
    return at < 0 ? SHARED.length : at;
  };
  return Object.keys(params)
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))
    .flatMap((name) => (params[name] ?? []).map((value) => `${encode(name)}=${encode(value)}`))
    .join("&");
}

/** A place with some parameters set (null or empty list: removed). */
export function withParams(place: Place, changes: Record<string, string | readonly string[] | null>): Place {
  const params: Record<string, readonly string[]> = { ...place.params };
  for (const [name, value] of Object.entries(changes)) {
    const list = value === null ? [] : typeof value === "string" ? [value] : value;
    if (list.length === 0) delete params[name];
    else params[name] = list;
  }
  return { view: place.view, params };
}

/** Another view of the same host and time. */
export function withView(place: Place, view: string): Place {
  const params: Record<string, readonly string[]> = {};
  for (const name of SHARED) {
    const held = place.params[name];
    if (held) params[name] = held;
  }
  return { view, params };
}

export function param(place: Place, name: string): string | null {
  return place.params[name]?.[0] ?? null;
}

/** As `encodeURIComponent`, but leaves readable what a query may hold as it is. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/%(3A|2F|40|2C)/g, decodeURIComponent);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
