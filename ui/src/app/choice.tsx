/** A few alternatives, one of them pressed. */

interface ChoiceProps<T extends string> {
  legend: string;
  value: T;
  options: [T, string][];
  onChoose(value: T): void;
}

export function Choice<T extends string>({ legend, value, options, onChoose }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {options.map(([id, label]) => (
        <button key={id} type="button" aria-pressed={id === value} onClick={() => onChoose(id)}>
          {label}
        </button>
      ))}
    </fieldset>
  );
}
