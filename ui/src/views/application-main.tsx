/** An API or a proxy at first sight: eight values and four charts. */
import { useMemo } from "preact/hooks";
import { FactCards } from "../app/card";
import { Chart } from "../charts/chart";
import { API_CARDS, API_CHARTS, PROXY_CARDS, PROXY_CHARTS, STATUS_CHARTS } from "./application-charts";
import { ofServer, withinServer } from "./scope";

interface MainProps {
  target: string;
  isProxy: boolean;
  isDown: boolean;
}

export default function ApplicationMain({ target, isProxy, isDown }: MainProps) {
  const specs = useMemo(
    () =>
      isProxy
        ? ofServer(PROXY_CHARTS, target)
        : [...ofServer(API_CHARTS, target), ...withinServer(STATUS_CHARTS, target)],
    [target, isProxy],
  );
  return (
    <>
      {!isDown && (
        <FactCards
          metrics={isProxy ? PROXY_CARDS : API_CARDS}
          of={target}
          label={`${isProxy ? "Proxy" : "API"}, latest values`}
        />
      )}
      <div class="charts">
        {specs.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
    </>
  );
}
