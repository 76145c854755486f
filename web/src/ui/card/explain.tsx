// SPDX-License-Identifier: Apache-2.0
// Why the card's event looks as it does, in the server's words.
import type { Id } from '@kalends/core';
import { useState } from 'react';
import { use_page } from '../context';

export function Explain({ board, card }: { board: Id; card: Id }) {
  const { rest } = use_page();
  const [answer, set_answer] = useState<unknown>(null);
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
        Why does its event look so?
      </button>
      {trouble !== null && <p className="trouble">{trouble}</p>}
      {answer !== null && <Facts value={answer} />}
    </>
  );
}

// Any JSON value as nested lists of names and values.
function Facts({ value }: { value: unknown }) {
  if (value === null || typeof value !== 'object') return <span>{value === null ? 'nothing' : String(value)}</span>;
  return (
    <dl className="facts">
      {Object.entries(value).map(([key, inner]) => (
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
