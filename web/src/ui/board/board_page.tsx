// SPDX-License-Identifier: Apache-2.0
// A board: its lists side by side, and beside them one panel at a time.
import { autoScrollForElements } from '@atlaskit/pragmatic-drag-and-drop-auto-scroll/element';
import type { BoardView, Id } from '@kalends/core';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { make_id } from '../../core/make_id';
import { CardEditor } from '../card/card_editor';
import { use_board, use_board_edit, use_members, use_sync, use_workspace, use_workspace_edit } from '../context';
import { kGoogleAnswer } from '../google_return';
import { ArchivePanel } from '../panels/archive_panel';
import { BoardPanel } from '../panels/board_panel';
import { CalendarPanel } from '../panels/calendar_panel';
import { ConflictsPanel } from '../panels/conflicts_panel';
import { DraftInput } from '../parts/draft_input';
import { InlineAdd } from '../parts/inline_add';
import { go } from '../route';
import { TopBar } from '../top_bar';
import { use_drops } from './drag';
import { ListColumn } from './list_column';

type PanelName = 'conflicts' | 'archive' | 'calendar' | 'board';

const kPanelTitles: Record<PanelName, string> = {
  conflicts: 'Conflicts',
  archive: 'Archive',
  calendar: 'Calendar',
  board: 'About',
};

interface Props {
  board_id: Id;
  card_id: Id | null;
}

export function BoardPage({ board_id, card_id }: Props) {
  const board = use_board(board_id);
  const workspace = use_workspace();
  const edit = use_board_edit(board_id);
  const edit_workspace = use_workspace_edit();
  const refusal = use_sync().refused_documents.find((refused) => refused.document === board_id);
  const [panel, set_panel] = useState<PanelName | null>(() => (kGoogleAnswer === null ? null : 'calendar'));
  const labels = useMemo(() => new Map(workspace?.labels.map((label) => [label.id, label])), [workspace]);
  const members = use_members();
  const close_card = useCallback(() => go({ at: 'board', board: board_id, card: null }), [board_id]);

  // The title stands in the board and in the workspace's list of boards.
  const rename = (value: string): void => {
    void edit({ do: 'set', entity: board_id, field: 'title', value });
    void edit_workspace({ do: 'set', entity: board_id, field: 'title', value });
  };

  useEffect(() => {
    document.title = board === null || board.title === '' ? 'Kalends' : `${board.title} · Kalends`;
    return () => {
      document.title = 'Kalends';
    };
  }, [board?.title]);

  const card = card_id === null ? undefined : board?.cards[card_id];
  return (
    <>
      <TopBar>
        {board !== null && (
          <DraftInput
            className="bar-title"
            label="Title of the board"
            value={board.title}
            is_required
            test_id="board-title"
            on_commit={rename}
          />
        )}
        <nav className="bar-buttons" aria-label="Panels">
          {(Object.keys(kPanelTitles) as PanelName[]).map((name) => (
            <button
              key={name}
              className="quiet"
              aria-pressed={panel === name}
              data-testid={`open-${name}`}
              onClick={() => set_panel(panel === name ? null : name)}
            >
              {kPanelTitles[name]}
              {name === 'conflicts' && board !== null && board.conflicts > 0 && (
                <span className="badge warn" data-testid="conflict-count">
                  {board.conflicts}
                </span>
              )}
            </button>
          ))}
        </nav>
      </TopBar>
      {refusal !== undefined && (
        <p className="notice trouble" role="alert" data-testid="board-refused">
          The server does not give this board: {refusal.message}
        </p>
      )}
      {board === null ? (
        <p className="hint pad">Opening…</p>
      ) : (
        <div className="board-and-panel">
          <Lists board={board} labels={labels} members={members} edit={edit} />
          {panel !== null && (
            <aside className="panel" aria-label={kPanelTitles[panel]} data-testid={`panel-${panel}`}>
              <header className="row">
                <h2>{kPanelTitles[panel]}</h2>
                <button className="quiet icon" aria-label="Close the panel" onClick={() => set_panel(null)}>
                  ✕
                </button>
              </header>
              {panel === 'conflicts' && <ConflictsPanel board={board} labels={labels} members={members} edit={edit} />}
              {panel === 'archive' && <ArchivePanel board={board} edit={edit} />}
              {panel === 'calendar' && <CalendarPanel board={board} labels={labels} members={members} />}
              {panel === 'board' && <BoardPanel board={board} edit={edit} />}
            </aside>
          )}
        </div>
      )}
      {board !== null && card !== undefined && (
        <CardEditor
          key={card.id}
          board={board}
          card={card}
          labels={labels}
          members={members}
          edit={edit}
          on_close={close_card}
        />
      )}
    </>
  );
}

type ListsProps = Pick<Parameters<typeof ListColumn>[0], 'labels' | 'members' | 'edit'> & { board: BoardView };

function Lists({ board, labels, members, edit }: ListsProps) {
  const element = useRef<HTMLElement>(null);
  const latest = useRef<BoardView | null>(board);
  latest.current = board;
  use_drops(latest, (command) => void edit(command));
  useEffect(() => (element.current === null ? undefined : autoScrollForElements({ element: element.current })), []);
  const lists = board.lists.filter((list) => list.deleted || !list.archived);
  return (
    <main className="lists" ref={element} data-testid="lists">
      {lists.map((list) => (
        <ListColumn
          key={list.id}
          board={board}
          list={list}
          lists={lists}
          labels={labels}
          members={members}
          edit={edit}
        />
      ))}
      <div className="list new">
        <InlineAdd
          text="Add a list"
          placeholder="Title of the list"
          test_id="add-list"
          on_add={(title) => void edit({ do: 'create', type: 'list', id: make_id(), fields: { title } })}
        />
      </div>
    </main>
  );
}
