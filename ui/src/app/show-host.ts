import { goToView, place, setParams } from "../state/location";

/** Shows another host in the same view; that of all hosts has nothing to show of one. */
export function showHost(host: string): void {
  if (place.value.view === "fleet") goToView("now", { host });
  else setParams({ host });
}
