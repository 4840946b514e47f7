/** A cone in the cell of a table; the columns beside it say the same in words. */
import { drawCone, parseCone } from "./cone-path";

const WIDTH = 160;
const HEIGHT = 36;

export default function Cone({ text }: { text: string }) {
  const cone = parseCone(text);
  if (!cone) return <span class="muted">–</span>;
  const { history, fan, median, limit, now } = drawCone(cone, WIDTH, HEIGHT);
  return (
    <svg class="cone" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="limit" d={limit} />
      <path class="now" d={`M${now} 0V${HEIGHT}`} />
      <path class="fan" d={fan} />
      <path class="median" d={median} />
      <path class="past" d={history} />
    </svg>
  );
}
