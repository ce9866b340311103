/**
 * What the list is filtered by. Each choice is in the address at once; what is typed, when it has settled.
 */
import type { ComponentChildren, JSX, TargetedSubmitEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TagListView, TestListView } from "../../server/api/filter-view.ts";
import { useAnswer, useSettled } from "../api/use-answer.ts";
import { stateNames, stateWords } from "../format/state-words.ts";
import { toLocalInput } from "../format/time.ts";
import { visibleText } from "../format/visible-text.ts";
import { hrefOf } from "../navigation/place.ts";
import { Button } from "../parts/button.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { isFiltered, type ListQuery, type RangeName, ranges } from "./list-query.ts";

interface RunFiltersProps {
  readonly query: ListQuery;
  readonly onChange: (changes: Partial<ListQuery>, options?: { readonly replace: boolean }) => void;
}

/** Longer than between two letters, shorter than a wait. */
const settledMs = 200;

export function RunFilters({ query, onChange }: RunFiltersProps): JSX.Element {
  const { answer: tests } = useAnswer<TestListView>("/tests");
  const names = tests?.tests.map(({ name }) => name) ?? [];
  // Of the address, before the tests are known, and where its runs were deleted.
  const testNames =
    query.test === "" || names.includes(query.test) ? names : [query.test, ...names];
  return (
    <div class="filters" role="search" aria-label="Runs">
      <SearchField query={query} onChange={onChange} />
      <Choice name="Test" value={query.test} onChoose={(test) => onChange({ test })}>
        <option value="">all</option>
        {testNames.map((name) => (
          <option key={name} value={name}>
            {visibleText(name).slice(0, 100)}
          </option>
        ))}
      </Choice>
      <Choice name="State" value={query.state} onChoose={(state) => onChange({ state })}>
        <option value="">all</option>
        <option value="under_way">under way</option>
        <option value="over">over</option>
        {stateNames.map((state) => (
          <option key={state} value={state}>
            {stateWords(state)}
          </option>
        ))}
      </Choice>
      <Choice name="Result" value={query.result} onChoose={(result) => onChange({ result })}>
        <option value="">all</option>
        <option value="passed">passed</option>
        <option value="failed">thresholds failed</option>
        <option value="error">error</option>
      </Choice>
      <TimeFilter query={query} onChange={onChange} />
      <TagFilter query={query} onChange={onChange} />
      <label class="checkbox-label">
        <input
          type="checkbox"
          checked={query.starred}
          onChange={(event) => onChange({ starred: event.currentTarget.checked })}
        />{" "}
        Starred only
      </label>
      {isFiltered(query) && <a href={hrefOf("/runs")}>Clear filters</a>}
    </div>
  );
}

function SearchField({ query, onChange }: RunFiltersProps): JSX.Element {
  const [typed, setTyped] = useState(query.search);
  const settled = useSettled(typed, settledMs);
  const asked = useRef(query.search);
  useEffect(() => {
    if (settled.trim() === asked.current) return;
    // Back leads to where one was before typing, not to each letter.
    const replace = asked.current !== "";
    asked.current = settled.trim();
    onChange({ search: asked.current }, { replace });
  }, [settled]);
  useEffect(() => {
    // The address changed by other means: Back, or a link.
    if (query.search === asked.current) return;
    asked.current = query.search;
    setTyped(query.search);
  }, [query.search]);
  return (
    <label>
      Search runs{" "}
      <input
        type="search"
        value={typed}
        placeholder="Name, id or note"
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </label>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly value: string;
  readonly onChoose: (value: string) => void;
  readonly children: ComponentChildren;
}

function Choice({ name, value, onChoose, children }: ChoiceProps): JSX.Element {
  return (
    <label>
      {name}{" "}
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {children}
      </select>
    </label>
  );
}

function TimeFilter({ query, onChange }: RunFiltersProps): JSX.Element {
  const { range, from, before } = query;
  const isBetween = range === undefined && (from !== "" || before !== "");
  const choose = (value: string): void => {
    const name = value in ranges ? (value as RangeName) : undefined; // one of its keys
    const dayAgo = new Date(Date.now() - 86_400_000).toISOString();
    onChange({ range: name, from: value === "between" ? dayAgo : "", before: "" });
  };
  const field = (name: "from" | "before", words: string): JSX.Element => (
    <label>
      {words}{" "}
      <input
        type="datetime-local"
        value={query[name] === "" ? "" : toLocalInput(Date.parse(query[name]))}
        onChange={({ currentTarget: { value } }) =>
          // Without a zone: the reader's.
          onChange({ [name]: value === "" ? "" : new Date(value).toISOString() })
        }
      />
    </label>
  );
  return (
    <>
      <Choice name="Created" value={range ?? (isBetween ? "between" : "")} onChoose={choose}>
        <option value="">at any time</option>
        {Object.entries(ranges).map(([name, { words }]) => (
          <option key={name} value={name}>
            in {words}
          </option>
        ))}
        <option value="between">between …</option>
      </Choice>
      {isBetween && (
        <>
          {field("from", "From")}
          {field("before", "Before")}
        </>
      )}
    </>
  );
}

function TagFilter({ query, onChange }: RunFiltersProps): JSX.Element {
  const { answer } = useAnswer<TagListView>("/tags");
  const known = answer?.tags.flatMap(({ name, values }) =>
    values.map((value) => `${name}=${value}`),
  );
  const add = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const tag = new FormData(event.currentTarget).get("tag");
    if (typeof tag !== "string" || tag.indexOf("=") <= 0) return;
    event.currentTarget.reset();
    onChange({ tags: [...query.tags.filter((one) => one !== tag), tag] });
  };
  return (
    <form class="tag-filter" onSubmit={add}>
      <label>
        Label{" "}
        <input
          name="tag"
          list="known-tags"
          required
          pattern="[^=]+=.*"
          title="name=value"
          placeholder="name=value"
          autocomplete="off"
        />
      </label>
      <datalist id="known-tags">
        {known?.map((tag) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
      <Button type="submit">Add label</Button>
      {query.tags.map((tag) => (
        <span class="tag" key={tag}>
          <PlainText text={tag} limit={60} isCutForGood />
          <Button
            kind="bare"
            aria-label={`Remove label ${visibleText(tag)}`}
            onClick={() => onChange({ tags: query.tags.filter((one) => one !== tag) })}
          >
            ×
          </Button>
        </span>
      ))}
    </form>
  );
}
