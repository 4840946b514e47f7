/** Which columns of a table are shown. */
import { useEffect } from "preact/hooks";
import { texts, wantTexts } from "../api/texts";
import type { TableMeta } from "../api/types.gen";
import { preferences, setPreferences } from "../state/preferences";

interface FormProps {
  meta: TableMeta;
  /** Columns that are never shown. */
  hide?: readonly string[] | undefined;
}

export default function ColumnsForm({ meta, hide }: FormProps) {
  useEffect(wantTexts, []);
  const descriptions = texts.value?.columns[meta.name];
  const hidden = preferences.value.hiddenColumns[meta.name] ?? [];
  const set = (column: string, isShown: boolean): void => {
    const next = isShown ? hidden.filter((id) => id !== column) : [...hidden, column];
    if (next.length >= meta.columns.length) return;
    setPreferences({ hiddenColumns: { ...preferences.peek().hiddenColumns, [meta.name]: next } });
  };
  return (
    <div class="form columns-form">
      {meta.columns
        .filter(({ id }) => !hide?.includes(id))
        .map((column) => (
          <label key={column.id} class="check">
            <input
              type="checkbox"
              checked={!hidden.includes(column.id)}
              onChange={(event) => set(column.id, event.currentTarget.checked)}
            />
            <span>
              {column.label}
              <span class="muted"> {descriptions?.[column.id]}</span>
            </span>
          </label>
        ))}
    </div>
  );
}
