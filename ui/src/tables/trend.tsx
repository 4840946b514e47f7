/** Counts by hour as small bars, with a description in words. */
const WIDTH = 120;
const HEIGHT = 20;

export default function Trend({ text }: { text: string }) {
  const counts = text.split(",").map((count) => Math.max(0, Number(count) || 0));
  const most = Math.max(1, ...counts);
  const step = WIDTH / counts.length;
  const path = counts
    .map((count, at) => {
      // What occurred at all is seen.
      const height = count === 0 ? 0 : Math.max(1.5, (count / most) * HEIGHT);
      return `M${(at * step).toFixed(1)} ${HEIGHT}v${(-height).toFixed(1)}h${(step * 0.8).toFixed(1)}V${HEIGHT}z`;
    })
    .join("");
  const last = counts[counts.length - 1] ?? 0;
  const words = `at most ${most} per interval, last ${last}`;
  return (
    <span class="trend" title={words}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path d={path} />
      </svg>
      <span class="unseen">{words}</span>
    </span>
  );
}
