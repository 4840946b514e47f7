/** A text with its commands, which stand between backticks; its content is always shown as text. */
import { cutAtCode } from "../format/code";

export function Coded({ text }: { text: string }) {
  return <bdi>{cutAtCode(text).map((part, at) => (at % 2 ? <code key={`${at}`}>{part}</code> : part))}</bdi>;
}
