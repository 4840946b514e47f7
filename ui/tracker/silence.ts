/** When the tracker does nothing at all. */

/** A page where its author works: no visitor comes there. */
export const isLocal = (host: string): boolean => /^$|^(.+\.)?localhost$|^127\.|^\[::1\]$/.test(host);

/** What `navigator` says about automation and privacy; not every browser has each. */
export interface Signals {
  webdriver?: boolean;
  globalPrivacyControl?: boolean;
  doNotTrack?: string | null;
}

/** Returns whether the browser asks not to be tracked: Global Privacy Control, or the older Do Not Track. */
export const asksForPrivacy = (navigator: Signals): boolean =>
  navigator.globalPrivacyControl || navigator.doNotTrack === "1";
