/** How long the answers of a target take, as its histogram reports. */
import { Heat } from "../charts/heat";
import { MANY_KEYS } from "../charts/model";
import { spread } from "./latency-rows";

export default function Latency({ kind, target }: { kind: string; target: string }) {
  return (
    <Heat
      id={`${kind}-spread`}
      title="Response time distribution"
      metric="target.within_pct"
      limit={MANY_KEYS}
      keyPrefix={target}
      rows={spread}
      empty="This target reports no latency histogram."
    />
  );
}
