// SPDX-License-Identifier: Apache-2.0
// Moving a card to another board, with its history: the server does it, so it needs a connection.
import type { Id } from '@kalends/core';
import { useState } from 'react';
import { use_page, use_workspace } from '../context';
import { go } from '../route';

export function TransferField({ board, card }: { board: Id; card: Id }) {
  const { rest } = use_page();
  const workspace = use_workspace();
  const [trouble, set_trouble] = useState<string | null>(null);
  const others = (workspace?.boards ?? []).filter((other) => other.id !== board && !other.archived);
  if (others.length === 0) return null;
  const transfer = async (target: Id): Promise<void> => {
    set_trouble(null);
    try {
      await rest.transfer(board, card, target);
      go({ at: 'board', board: target, card });
    } catch (error) {
      set_trouble((error as Error).message);
    }
  };
  return (
    <>
      <select
        aria-label="Move to another board"
        data-testid="transfer-card"
        value=""
        onChange={(event) => void transfer(event.target.value)}
      >
        <option value="">To another board…</option>
        {others.map((other) => (
          <option key={other.id} value={other.id}>
            {other.title || 'Without a title'}
          </option>
        ))}
      </select>
      {trouble !== null && <p className="trouble">{trouble}</p>}
    </>
  );
}
