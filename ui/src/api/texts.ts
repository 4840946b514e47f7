/** Explanations of metrics and columns, requested when the first one is opened. */
import { getJson } from "./client";
import { Resource } from "./resource";
import type { Texts } from "./types.gen";

const resource = new Resource<Texts>((path, _, signal) => getJson<Texts>(path, signal));

export const texts = resource.data;

export function wantTexts(): void {
  resource.ask("texts");
}
