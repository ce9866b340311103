/**
 * The options that k6 ran with, and the variables that the script was given.
 */
import type { JSX } from "preact";
import type { ScriptView } from "../../server/api/script-view.ts";
import { useAnswer } from "../api/use-answer.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { RunSection, type SectionProps } from "./section.tsx";

export function OptionsSection({ run }: SectionProps): JSX.Element {
  const path = run.archiveBytes > 0 ? `/runs/${run.id}/script` : null;
  const { answer } = useAnswer<ScriptView>(path);
  // Of a run without an archive, what k6 said when it began.
  const options = answer?.options ?? run.options;
  const environment = Object.entries(answer?.environment ?? {});
  // k6 lists what is not set as null.
  const text = JSON.stringify(options, (_, value: unknown) => value ?? undefined, 2) ?? "{}";
  return (
    <RunSection id="options" title="Options and environment">
      {text === "{}" ? (
        <p>The generator said no options.</p>
      ) : (
        // What scrolls must be reached with the keyboard.
        <pre class="code-block" tabIndex={0} role="region" aria-label="Options">
          <PlainText text={text} limit={20_000} />
        </pre>
      )}
      {environment.length > 0 && (
        <>
          <h3>Variables that the script was given</h3>
          <ul class="variables">
            {environment.map(([name, value]) => (
              <li key={name} class="code">
                <PlainText text={name} />=<PlainText text={value} />
              </li>
            ))}
          </ul>
          <p class="quiet">Their values are not kept.</p>
        </>
      )}
    </RunSection>
  );
}
