import { expect, test } from "vitest";
import { cutAtCode } from "./code";

const shown = (text: string): string =>
  cutAtCode(text)
    .map((part, at) => (at % 2 ? `[${part}]` : part))
    .join("");

test("what stands between backticks is a command, whatever it is", () => {
  expect(shown("Block it: `fail2ban-client set sshd banip 203.0.113.9`.")).toBe(
    "Block it: [fail2ban-client set sshd banip 203.0.113.9].",
  );
  expect(shown("`df -h`, then `du -x /`")).toBe("[df -h], then [du -x /]");
  expect(shown("Nothing to run.")).toBe("Nothing to run.");
  expect(shown("`<img src=x>`")).toBe("[<img src=x>]");
  expect(shown("")).toBe("");
});

test("a backtick that nothing closes is a part of the text", () => {
  expect(shown("it`s odd")).toBe("it`s odd");
  expect(shown("run `df` and it`s odd")).toBe("run [df] and it`s odd");
  expect(shown("`")).toBe("`");
  expect(shown("``")).toBe("``");
});
