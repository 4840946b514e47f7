/** Which of several hosts is shown, and the way to all of them. */
import { meta, now } from "../api/store";
import { goToView, hostId, place, setParams } from "../state/location";
import { ViewLink } from "./link";

/** More names than that are searched for in the view of all hosts. */
const MANY = 50;

export default function HostPicker() {
  const hosts = meta.value?.hosts ?? [];
  const shown = String(hostId.value ?? now.value?.host.id ?? "");
  if (hosts.length > MANY) {
    const name = now.value?.host.name ?? "";
    return (
      <ViewLink view="fleet" class="button">
        <span class="unseen">Host, choose another: </span>
        <bdi class="clip">{name.slice(0, 60)}</bdi> ▾
      </ViewLink>
    );
  }
  return (
    <select
      aria-label="Host"
      value={shown}
      onChange={(event) => {
        const { value } = event.currentTarget;
        if (value === "") {
          // The host that is shown stays the same.
          event.currentTarget.value = shown;
          goToView("fleet");
        } else if (place.value.view === "fleet") goToView("now", { host: value });
        else setParams({ host: value });
      }}
    >
      <option value="">All {hosts.length} hosts …</option>
      {hosts.map((host) => (
        <option key={host.id} value={String(host.id)}>
          {host.name.slice(0, 60)}
        </option>
      ))}
    </select>
  );
}
