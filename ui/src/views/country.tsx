/** A country by its name in the language of the page, for its two letters. */
const NAMES = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

export default function Country({ text }: { text: string }) {
  return <bdi title={text}>{/^[A-Z]{2}$/.test(text) ? (NAMES.of(text) ?? text) : text}</bdi>;
}
