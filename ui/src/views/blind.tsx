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
  const gaps = answer.rows
    .map(({ id, cells }) => ({
      id,
      database: cellOf(meta, cells, "database"),
      family: cellOf(meta, cells, "family"),
      message: cellOf(meta, cells, "message"),
      remedy: cellOf(meta, cells, "remedy"),
    }))
    .filter((one) => families?.test(one.family) ?? true);
  if (gaps.length === 0) return null;
  return (
    <section class={`blind panel${trusted.value ? "" : " grey"}`} aria-label="Missing permissions or data">
      <h2>
        <SeverityMark severity="info" text="Missing permissions or data" />
      </h2>
      <ul>
        {gaps.map((gap) => (
          <li key={gap.id}>
            <span>
              <strong>
                <bdi>{gap.family.replace(/_/g, " ").slice(0, 60)}</bdi>
              </strong>
              {gap.database && (
                <>
                  {" in "}
                  <bdi>{gap.database.slice(0, 80)}</bdi>
                </>
              )}
              {": "}
              <bdi>{gap.message.slice(0, 400)}</bdi>
            </span>
            {gap.remedy && (
              <Part load={() => import("../tables/command")} text={gap.remedy.slice(0, 2000)} name="remedy" />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
