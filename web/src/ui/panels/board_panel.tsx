// SPDX-License-Identifier: Apache-2.0
// What concerns the board as a whole: its time zone, archiving it, and the state that all replicas must agree on.
import type { BoardView } from '@kalends/core';
import { useState } from 'react';
import { ZoneInput } from '../card/dates_field';
import { use_page, use_workspace_edit, type Edit } from '../context';
import { count } from '../format';
import { go } from '../route';

export function BoardPanel({ board, edit }: { board: BoardView; edit: Edit }) {
  const { client } = use_page();
  const edit_workspace = use_workspace_edit();
  const [hash, set_hash] = useState<string | null>(null);
  const cards = Object.values(board.cards).filter((card) => !card.archived).length;
  return (
    <>
      <p>{count(cards, 'open card')}</p>
      <label>
        Time zone of the board
        <ZoneInput
          label="Time zone of the board"
          value={board.time_zone}
          has_floating={false}
          on_change={(value) => void edit({ do: 'set', entity: board.id, field: 'time_zone', value })}
        />
      </label>
      <div>
        <button
          onClick={() => {
            void edit_workspace({ do: 'set', entity: board.id, field: 'archived', value: true });
            go({ at: 'boards' });
          }}
        >
          Archive the board
        </button>
      </div>
      <section className="part" aria-label="State">
        <h3>State</h3>
        <p className="hint">Two copies of a board that are in step show the same number.</p>
        <button
          data-testid="show-hash"
          onClick={() => void client.inspect(board.id, 'board').then((answer) => set_hash(answer?.hash ?? null))}
        >
          Show it
        </button>
        {hash !== null && (
          <p>
            <code data-testid="state-hash">{hash}</code>
          </p>
        )}
      </section>
    </>
  );
}
