/**
 * The options that k6 ran with, and the variables that the script was given.
 */
import type { JSX } from "preact";
import type { ScriptView } from "../../server/api/script-view.ts";
import { useAnswer } from "../api/use-answer.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { TableRegion } from "../parts/table-region.tsx";
import { RunSection, type SectionProps } from "./section.tsx";

export function OptionsSection({ run }: SectionProps): JSX.Element {
  const path = run.archiveBytes > 0 ? `/runs/${run.id}/script` : null;
  const { answer } = useAnswer<ScriptView>(path);
  // Of a run without an archive, what k6 said when it began.
  const options = answer?.options ?? run.options;
  const environment = Object.entries(answer?.environment ?? {});
  const text = JSON.stringify(options, undefined, 2);
  return (
    <RunSection id="options" title="Options and environment">
      {text === "{}" || text === "null" ? (
        <p>The generator said no options.</p>
      ) : (
        // What scrolls must be reached with the keyboard.
        <pre class="code-block" tabIndex={0} role="region" aria-label="Options">
          <PlainText text={text} limit={20_000} />
        </pre>
      )}
      {environment.length > 0 && (
        <TableRegion caption="Variables that the script was given" isCaptionHidden={false}>
          <thead>
            <tr>
              <th scope="col">Variable</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {environment.map(([name, value]) => (
              <tr key={name}>
                <th scope="row" class="code">
                  <PlainText text={name} />
                </th>
                <td class="code">
                  <PlainText text={value} />
                </td>
              </tr>
            ))}
          </tbody>
        </TableRegion>
      )}
    </RunSection>
  );
}
