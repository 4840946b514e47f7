/** Theme, density, zone and shortcuts. */
import { bands, density, setChoice, theme, zone } from "../state/location";
import { preferences, setPreferences } from "../state/preferences";
import { Choice } from "./choice";

export default function DisplayForm() {
  const held = preferences.value;
  return (
    <div class="form">
      <Choice
        legend="Theme"
        value={theme.value}
        options={[
          ["system", "System"],
          ["light", "Light"],
          ["dark", "Dark"],
        ]}
        onChoose={(value) => setChoice({ theme: value })}
      />
      <Choice
        legend="Rows"
        value={density.value}
        options={[
          ["normal", "Normal"],
          ["compact", "Compact"],
        ]}
        onChoose={(value) => setChoice({ density: value })}
      />
      <Choice
        legend="Time zone"
        value={zone.value}
        options={[
          ["browser", "Browser"],
          ["utc", "UTC"],
        ]}
        onChoose={(value) => setChoice({ zone: value })}
      />
      <Choice
        legend="Usual values behind charts"
        value={bands.value}
        options={[
          ["on", "Shown"],
          ["off", "Hidden"],
        ]}
        onChoose={(value) => setChoice({ bands: value })}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={held.shortcuts}
          onChange={(event) => setPreferences({ shortcuts: event.currentTarget.checked })}
        />
        Single-letter shortcuts
      </label>
    </div>
  );
}
