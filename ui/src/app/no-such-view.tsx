/** What is shown for an address of a view that there is not. */
import { place } from "../state/location";
import { VIEWS } from "../views/registry";
import { ViewLink } from "./link";

export default function NoSuchView() {
  return (
    <>
      <h1 tabIndex={-1}>No such view</h1>
      <p>
        No view is named “{place.value.view.slice(0, 80)}”. There are:{" "}
        {VIEWS.map((view) => (
          <>
            <ViewLink view={view.id}>{view.title}</ViewLink>{" "}
          </>
        ))}
      </p>
    </>
  );
}
