/** What the four views of PostgreSQL have in common: a server to be picked, and what it hides. */
import type { ComponentChildren } from "preact";
import { Empty } from "../app/panel";
import { Part } from "../app/part";
import { Down, downOf, Picker, Unpicked, usePick } from "./pick";

interface ServerProps {
  /** Whose missing statistics matter here; all unless given. */
  families?: RegExp;
  /** Missing permissions or data are listed below rather than above. */
  isNoteLast?: boolean;
  children(instance: string, isDown: boolean): ComponentChildren;
}

export function OneServer({ families, isNoteLast = false, children }: ServerProps) {
  const pick = usePick("db_servers", "instance", "f.instance");
  if (pick.options === null) return <Unpicked pick={pick} />;
  if (pick.chosen === null) {
    return (
      <Empty height={200}>
        No PostgreSQL server is monitored on this host. Add a [[postgres]] section to the configuration of the
        collector.
      </Empty>
    );
  }
  const why = downOf(pick);
  const note =
    why === null ? <Part load={() => import("./blind")} instance={pick.chosen} families={families} /> : null;
  return (
    <>
      <Picker pick={pick} legend="Server" />
      <Down name={pick.chosen} why={why} />
      {!isNoteLast && note}
      {children(pick.chosen, why !== null)}
      {isNoteLast && note}
    </>
  );
}
