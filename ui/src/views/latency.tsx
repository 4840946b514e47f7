/** How long the answers of a target take, as its histogram tells. */
import { Heat } from "../charts/heat";
import { MANY_KEYS } from "../charts/model";
import { spread } from "./latency-rows";

export default function Latency({ kind, target }: { kind: string; target: string }) {
  return (
    <Heat
      id={`${kind}-spread`}
      title="How long answers take"
      metric="target.within_pct"
      limit={MANY_KEYS}
      within={target}
      rows={spread}
      empty="The target tells no latency histogram."
    />
  );
}
