/** What a host is: kernel, size, for how long it is up, and how it is watched. What was never read has no value. */
import { clock, now } from "../api/store";
import { formatDuration } from "../format/time";
import { formatBytes } from "../format/value";

export default function HostFacts() {
  const state = now.value;
  if (!state) return null;
  const { host, agent, freshness } = state;
  const isUnread = agent.state === "unknown";
  const facts: [string, string][] = [
    ["Host", host.name],
    ["Kernel", host.kernel],
    // Every host has a core and a byte.
    ["Cores", host.cores ? String(host.cores) : ""],
    ["Memory", host.memory_bytes ? formatBytes(host.memory_bytes) : ""],
    ["Uptime", host.boot_ms === null ? "" : formatDuration((clock.value - host.boot_ms) / 1000)],
    ["Sampling interval", formatDuration(freshness.interval_secs)],
    ["Collector", isUnread ? "" : agent.state],
  ];
  return (
    <dl class="facts panel">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value || "–"}</dd>
        </div>
      ))}
    </dl>
  );
}
