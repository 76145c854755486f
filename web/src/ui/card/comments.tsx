// SPDX-License-Identifier: Apache-2.0
import type { Id, Member } from '@kalends/core';
import { useState } from 'react';
import { format_instant } from '../format';
import { DraftText } from '../parts/draft_input';
import type { CardPartProps } from './card_editor';

interface Props extends CardPartProps {
  members: ReadonlyMap<Id, Member>;
  self: Id;
}

export function Comments({ card, edit, members, self }: Props) {
  const [text, set_text] = useState('');
  return (
    <>
      <ul className="plain comments">
        {card.comments.map((comment) => (
          <li key={comment.id} className="comment">
            <p className="hint row">
              <span className="grow">
                {members.get(comment.author)?.name ?? 'Somebody'} · {format_instant(comment.at_ms)}
              </span>
              {comment.author === self && (
                <button
                  className="quiet icon"
                  aria-label="Delete this comment"
                  onClick={() => void edit({ do: 'delete', entity: card.id, child: comment.id })}
                >
                  ✕
                </button>
              )}
            </p>
            {comment.author === self ? (
              <DraftText
                label="Comment"
                value={comment.text}
                rows={2}
                on_commit={(value) =>
                  void edit({ do: 'set', entity: card.id, child: comment.id, field: 'text', value })
                }
              />
            ) : (
              <p className="comment-text">{comment.text}</p>
            )}
          </li>
        ))}
      </ul>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() === '') return;
          void edit({ do: 'add_child', entity: card.id, type: 'comment', fields: { text: text.trim() } });
          set_text('');
        }}
      >
        <textarea
          aria-label="New comment"
          placeholder="Write a comment…"
          rows={2}
          value={text}
          data-testid="new-comment"
          onChange={(event) => set_text(event.target.value)}
        />
        <button disabled={text.trim() === ''}>Comment</button>
      </form>
    </>
  );
}
