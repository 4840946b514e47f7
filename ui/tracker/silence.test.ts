import { expect, test } from "vitest";
import { asksForPrivacy, isLocal } from "./silence";

test.each([
  ["", true],
  ["localhost", true],
  ["shop.localhost", true],
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["[::1]", true],
  ["localhost.example.org", false],
  ["mylocalhost", false],
  ["example.org", false],
  ["10.0.0.1", false],
])("host %j is local: %s", (host, local) => {
  expect(isLocal(host)).toBe(local);
});

test.each([
  [{}, false],
  [{ globalPrivacyControl: true }, true],
  [{ globalPrivacyControl: false, doNotTrack: "0" }, false],
  [{ doNotTrack: "1" }, true],
  [{ doNotTrack: "unspecified" }, false],
  [{ doNotTrack: null }, false],
])("%j asks for privacy: %s", (navigator, asks) => {
  expect(asksForPrivacy(navigator)).toBe(asks);
});
