/** Content that is rendered in a separate task, after the rest; it has to be where it moves nothing. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { inTurn } from "../charts/turn";
import { Skeleton } from "./panel";

export function Later({ children }: { children: ComponentChildren }) {
  const [isDue, setDue] = useState(false);
  useEffect(() => inTurn(() => setDue(true)), []);
  return isDue ? children : <Skeleton height={320} />;
}
