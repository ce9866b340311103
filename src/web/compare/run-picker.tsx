/**
 * Chooses one of the newest runs; the one that the address names is among them however old it is.
 */
import type { JSX } from "preact";
import type { RunListView } from "../../server/api/run-view.ts";
import { useAnswer } from "../api/use-answer.ts";
import { stateWords } from "../format/state-words.ts";
import { formatDateTime } from "../format/time.ts";
import { visibleText } from "../format/visible-text.ts";

interface RunPickerProps {
  readonly label: string;
  /** Number or testid; null: none yet. */
  readonly value: string | null;
  readonly onChoose: (id: string) => void;
}

/** More are found on the list of runs, which leads here, too. */
const offered = 100;

export function RunPicker({ label, value, onChoose }: RunPickerProps): JSX.Element {
  const { answer } = useAnswer<RunListView>(`/runs?limit=${offered}`);
  const runs = answer?.runs ?? [];
  const chosen = runs.find(({ id, testid }) => String(id) === value || testid === value);
  return (
    <label class="run-picker">
      {label}{" "}
      <select
        value={chosen ? String(chosen.id) : (value ?? "")}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        {value === null && <option value="">Choose a run</option>}
        {value !== null && !chosen && <option value={value}>Run {visibleText(value)}</option>}
        {runs.map(({ id, test, created, state }) => (
          <option key={id} value={String(id)}>
            {id}: {visibleText(test).slice(0, 60)}, {formatDateTime(Date.parse(created))},{" "}
            {stateWords(state)}
          </option>
        ))}
      </select>
    </label>
  );
}
