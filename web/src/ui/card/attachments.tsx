// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import type { CardPartProps } from './card_editor';

// An address that a click may open: anything else (javascript:, data:) is shown as text.
export function is_openable(url: string): boolean {
  try {
    return ['http:', 'https:', 'mailto:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

export function Attachments({ card, edit }: CardPartProps) {
  return (
    <>
      <ul className="plain">
        {card.attachments.map((attachment) => (
          <li key={attachment.id} className="row">
            {is_openable(attachment.url) ? (
              <a className="grow" href={attachment.url} target="_blank" rel="noopener noreferrer">
                {attachment.title || attachment.url}
              </a>
            ) : (
              <span className="grow">
                {attachment.title} {attachment.url}
              </span>
            )}
            <button
              className="quiet icon"
              aria-label={`Remove the attachment ${attachment.title}`}
              onClick={() => void edit({ do: 'delete', entity: card.id, child: attachment.id })}
            >
              ✕
            </button>
          </li>
        ))}
      </ul>
      <NewAttachment
        on_add={(title, url) =>
          void edit({ do: 'add_child', entity: card.id, type: 'attachment', fields: { title, url } })
        }
      />
    </>
  );
}

function NewAttachment({ on_add }: { on_add(title: string, url: string): void }) {
  const [url, set_url] = useState('');
  const [title, set_title] = useState('');
  return (
    <form
      className="row wrap"
      onSubmit={(event) => {
        event.preventDefault();
        on_add(title.trim() || url.trim(), url.trim());
        set_url('');
        set_title('');
      }}
    >
      <input
        type="url"
        className="grow"
        aria-label="Address of a new attachment"
        placeholder="https://…"
        value={url}
        data-testid="new-attachment"
        onChange={(event) => set_url(event.target.value)}
      />
      <input
        aria-label="Title of the new attachment"
        placeholder="Title"
        value={title}
        onChange={(event) => set_title(event.target.value)}
      />
      <button disabled={!is_openable(url.trim())}>Attach</button>
    </form>
  );
}
