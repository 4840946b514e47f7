/** What explains metrics and columns: asked for when somebody wants the first explanation. */
import { getJson } from "./client";
import { Resource } from "./resource";
import type { Texts } from "./types.gen";

const resource = new Resource<Texts>((path, _, signal) => getJson<Texts>(path, signal));

export const texts = resource.data;

export function wantTexts(): void {
  resource.ask("texts");
}
