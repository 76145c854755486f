// SPDX-License-Identifier: Apache-2.0
// All boards of the workspace, and making a new one.
import { useState } from 'react';
import { use_page, use_workspace, use_workspace_edit } from './context';
import { route_address, go } from './route';
import { TopBar } from './top_bar';

export function BoardPicker() {
  const workspace = use_workspace();
  const edit = use_workspace_edit();
  const [shows_archived, set_shows_archived] = useState(false);
  const boards = workspace?.boards ?? [];
  const open = boards.filter((board) => !board.archived);
  const archived = boards.filter((board) => board.archived);
  return (
    <>
      <TopBar>
        <h1 className="bar-title">Boards</h1>
      </TopBar>
      <main className="picker">
        {workspace === null ? (
          <p className="hint">Opening…</p>
        ) : (
          <>
            <ul className="board-grid" data-testid="boards">
              {open.map((board) => (
                <li key={board.id}>
                  <a
                    className="board-tile"
                    href={route_address({ at: 'board', board: board.id, card: null })}
                    data-testid={`board-${board.id}`}
                  >
                    {board.title || 'Without a title'}
                  </a>
                </li>
              ))}
              <li>
                <NewBoard />
              </li>
            </ul>
            {archived.length > 0 && (
              <section>
                <button className="quiet" onClick={() => set_shows_archived(!shows_archived)}>
                  {shows_archived ? 'Hide' : 'Show'} archived boards ({archived.length})
                </button>
                {shows_archived && (
                  <ul className="plain">
                    {archived.map((board) => (
                      <li key={board.id} className="row">
                        <span>{board.title}</span>
                        <button
                          onClick={() =>
                            void edit({ do: 'set', entity: board.id, field: 'archived', value: false })
                          }
                        >
                          Restore
                        </button>
                      </li>
                    ))}
                  </ul>
                )}
              </section>
            )}
          </>
        )}
      </main>
    </>
  );
}

// A board's document is made by the server, so this is the one thing on boards that needs a network.
function NewBoard() {
  const { rest, tell } = use_page();
  const [title, set_title] = useState('');
  const [is_busy, set_is_busy] = useState(false);
  const make = async (): Promise<void> => {
    set_is_busy(true);
    try {
      const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      go({ at: 'board', board: await rest.make_board({ title: title.trim(), time_zone }), card: null });
    } catch (error) {
      tell(`The board could not be made: ${(error as Error).message}`);
      set_is_busy(false);
    }
  };
  return (
    <form
      className="board-tile new"
      onSubmit={(event) => {
        event.preventDefault();
        if (title.trim() !== '') void make();
      }}
    >
      <input
        aria-label="Title of the new board"
        placeholder="New board…"
        value={title}
        onChange={(event) => set_title(event.target.value)}
        data-testid="new-board-title"
      />
      <button disabled={is_busy || title.trim() === ''} data-testid="new-board">
        Make
      </button>
    </form>
  );
}
