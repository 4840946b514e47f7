/** PostgreSQL: who waits for whom, sessions, and how one server does; the rest is folded by topic. */
import { useMemo } from "preact/hooks";
import { FactCards } from "../app/card";
import { Fold } from "../app/fold";
import { Part } from "../app/part";
import { Chart } from "../charts/chart";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { KEY_CARDS, KEY_CHARTS, TOPICS } from "./postgres-charts";
import { ofServer } from "./scope";
import { OneServer } from "./server";

export default function PostgresView() {
  return (
    <OneServer isNoteLast>
      {(instance, isDown) => <Server key={instance} instance={instance} isDown={isDown} />}
    </OneServer>
  );
}

const TREE: Look = { depth: "depth", hide: ["position", "root_pid"], move: { application: 2, command: 3 } };
const SESSIONS: Look = { move: { application: 3, command: 4 } };

function Server({ instance, isDown }: { instance: string; isDown: boolean }) {
  const charts = useMemo(() => ofServer(KEY_CHARTS, instance), [instance]);
  const only = useMemo(() => ({ instance }), [instance]);
  const main = () => (
    <div class="charts">
      {charts.map((spec) => (
        <Chart key={spec.id} spec={spec} />
      ))}
    </div>
  );
  return (
    <>
      {!isDown && (
        <>
          <DataTable name="blocking" only={only} look={TREE} quiet />
          <DataTable name="sessions" only={only} look={SESSIONS} quiet />
          <FactCards metrics={KEY_CARDS} of={instance} label="Latest values" />
        </>
      )}
      {isDown ? (
        <Fold id="charts" title="Before it stopped responding">
          {main}
        </Fold>
      ) : (
        main()
      )}
      {TOPICS.map(([id, title]) => (
        <Fold key={id} id={id} title={title}>
          {() => (
            <Part
              load={() => import("./postgres-more")}
              topic={id}
              title={title}
              instance={instance}
              isDown={isDown}
            />
          )}
        </Fold>
      ))}
      <Part load={() => import("./servers")} instance={instance} />
    </>
  );
}
