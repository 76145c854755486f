// SPDX-License-Identifier: Apache-2.0
// What sync did to the card, newest first, and why its event looks as it does, in the server's words.
import type { Id, Member } from '@kalends/core';
import { useState } from 'react';
import { use_page } from '../context';
import { EntryText } from '../panels/runs';
import type { Explanation } from '../rest';

interface Props {
  board: Id;
  card: Id;
  members: ReadonlyMap<Id, Member>;
}

export function Explain({ board, card, members }: Props) {
  const { rest } = use_page();
  const [answer, set_answer] = useState<Explanation | null>(null);
  const [trouble, set_trouble] = useState<string | null>(null);
  const ask = async (): Promise<void> => {
    set_trouble(null);
    try {
      set_answer(await rest.explain(board, card));
    } catch (error) {
      set_trouble((error as Error).message);
    }
  };
  return (
    <>
      <button onClick={() => void ask()} data-testid="explain">
        What did sync do, and why?
      </button>
      {trouble !== null && <p className="trouble">{trouble}</p>}
      {answer?.links.length === 0 && <p className="hint">The board is linked to no calendar.</p>}
      {answer?.links.map((link) => (
        <section key={link.link} aria-label={`In the calendar ${link.calendar}`} data-testid="explanation">
          <h3>{link.calendar}</h3>
          <p>
            {link.event?.presence === 'live' ? `Its event: ${link.event.start} to ${link.event.end}.` : 'It has no event there.'}
          </p>
          {link.last_plan?.reasons.map((reason) => (
            <p key={reason} className="hint">
              Last time: {reason}.
            </p>
          ))}
          {link.history.length === 0 ? (
            <p className="hint">Sync has done nothing to this card.</p>
          ) : (
            <ol className="plain history">
              {link.history.map((entry) => (
                <li key={entry.id}>
                  <EntryText {...{ entry, members }} />
                </li>
              ))}
            </ol>
          )}
          <details>
            <summary>All that is known</summary>
            <Facts value={{ ...link, history: undefined }} />
          </details>
        </section>
      ))}
    </>
  );
}

// Any JSON value as nested lists of names and values.
function Facts({ value }: { value: unknown }) {
  if (value === null || typeof value !== 'object') return <span>{value === null ? 'nothing' : String(value)}</span>;
  return (
    <dl className="facts">
      {Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([key, inner]) => (
          <div key={key}>
            <dt>{key.replaceAll('_', ' ')}</dt>
            <dd>
              <Facts value={inner} />
            </dd>
          </div>
        ))}
    </dl>
  );
}
