/** The pages of a table, and how many rows each has. */
import type { TableAnswer } from "../api/types.gen";
import { setPreferences } from "../state/preferences";
import { PAGE_SIZES } from "./query";

interface PagerProps {
  answer: TableAnswer;
  limit: number;
  onPage(page: number): void;
}

export default function Pager({ answer, limit, onPage }: PagerProps) {
  const { page, pages } = answer;
  return (
    <footer class="pager">
      <button type="button" class="button small" disabled={page <= 0} onClick={() => onPage(page - 1)}>
        Previous
      </button>
      <span>
        Page {page + 1} of {Math.max(1, pages)}
      </span>
      <button
        type="button"
        class="button small"
        disabled={page + 1 >= pages}
        onClick={() => onPage(page + 1)}
      >
        Next
      </button>
      <span class="grow" />
      <label>
        Rows{" "}
        <select
          value={String(limit)}
          onChange={(event) => {
            setPreferences({ pageSize: Number(event.currentTarget.value) });
            onPage(0);
          }}
        >
          {PAGE_SIZES.map((size) => (
            <option key={size} value={String(size)}>
              {size}
            </option>
          ))}
        </select>
      </label>
    </footer>
  );
}
