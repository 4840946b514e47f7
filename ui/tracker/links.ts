/** What a click on a link and a submitted form are counted as. */

/** Files that browsers save or hand to another program. */
const DOWNLOAD =
  /\.(pdf|docx?|xlsx?|pptx?|od[pst]|csv|txt|epub|zip|7z|rar|t?[gx]z|exe|msi|dmg|pkg|deb|rpm|apk|iso|mp[34]|mov)$/i;

/** Text of an event's property; the server cuts there, too. */
const MAX_PROPERTY = 255;

export type Props = Record<string, string | number | boolean>;

/** What a link and a `URL` have alike. */
export type LinkAddress = Pick<URL, "protocol" | "host" | "origin" | "pathname">;

const bare = (host: string): string => host.replace(/^www\./, "");

/**
 * Returns the event that following a link is, if it is one. The address goes without query and fragment, in which
 * other sites carry what is not ours to know.
 */
export const linkEvent = (
  link: LinkAddress,
  host: string,
  isDownload: boolean,
): [string, Props] | undefined => {
  if (!/^http/.test(link.protocol)) return undefined;
  const name =
    isDownload || DOWNLOAD.test(link.pathname)
      ? "download"
      : bare(link.host) === bare(host)
        ? undefined
        : "outbound";
  return name && [name, { url: (link.origin + link.pathname).slice(0, MAX_PROPERTY) }];
};

/** Returns the properties of an element with `data-event`: `data-event-plan="pro"` is `plan: "pro"`. */
export const markedProps = (dataset: Record<string, string | undefined>): Props => {
  const props: Props = {};
  for (const key in dataset) {
    if (/^event[A-Z]/.test(key)) props[key.slice(5).toLowerCase()] = dataset[key] ?? "";
  }
  return props;
};
