/**
 * A text cut at its commands, which stand between two backticks: every other part is one. A backtick
 * that nothing closes is a part of the text. Pure.
 */
export function cutAtCode(text: string): string[] {
  return text.split(/`([^`]+)`/);
}
