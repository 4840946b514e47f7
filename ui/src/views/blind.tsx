/** What a view cannot show because it could not be collected, and what fixes it. */
import { trusted } from "../api/store";
import { Part } from "../app/part";
import { SeverityMark } from "../app/shape";
import { cellOf, useRows } from "./pick";

interface BlindProps {
  instance: string;
  /** Whose gaps matter here; all unless given. */
  families: RegExp | undefined;
}

export default function BlindNotes({ instance, families }: BlindProps) {
  const { meta, answer } = useRows("blind_spots", { instance });
  if (!meta || !answer) return null;
  const spots = answer.rows
    .map(({ id, cells }) => ({
      id,
      database: cellOf(meta, cells, "database"),
      family: cellOf(meta, cells, "family"),
      message: cellOf(meta, cells, "message"),
      remedy: cellOf(meta, cells, "remedy"),
    }))
    .filter((one) => families?.test(one.family) ?? true);
  if (spots.length === 0) return null;
  return (
    <section class={`blind panel${trusted.value ? "" : " grey"}`} aria-label="Missing permissions or data">
      <h2>
        <SeverityMark severity="info" text="Missing permissions or data" />
      </h2>
      <ul>
        {spots.map((spot) => (
          <li key={spot.id}>
            <span>
              <strong>
                <bdi>{spot.family.replace(/_/g, " ").slice(0, 60)}</bdi>
              </strong>
              {spot.database && (
                <>
                  {" in "}
                  <bdi>{spot.database.slice(0, 80)}</bdi>
                </>
              )}
              {": "}
              <bdi>{spot.message.slice(0, 400)}</bdi>
            </span>
            {spot.remedy && (
              <Part
                load={() => import("../tables/command")}
                text={spot.remedy.slice(0, 2000)}
                name="remedy"
              />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
