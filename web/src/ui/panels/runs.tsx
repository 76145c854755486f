// SPDX-License-Identifier: Apache-2.0
// What sync did under a link: its last runs, each with what it did, and the way back.
import type { Id, Member } from '@kalends/core';
import { useEffect, useState } from 'react';
import { use_page } from '../context';
import { count, format_instant } from '../format';
import type { Entry, Link, Run, RunReport, Step } from '../rest';

const kShownAtFirst = 5;

interface Props {
  link: Link;
  members: ReadonlyMap<Id, Member>;
  refresh(): Promise<void>;
}

export function Runs({ link, members, refresh }: Props) {
  const { rest } = use_page();
  const [is_open, set_is_open] = useState(false);
  const [runs, set_runs] = useState<Run[] | null>(null);
  const [trouble, set_trouble] = useState<string | null>(null);
  const [shown, set_shown] = useState(kShownAtFirst);
  const load = async (): Promise<void> => {
    try {
      set_runs(await rest.runs(link.id));
      set_trouble(null);
    } catch (error) {
      set_trouble((error as Error).message);
    }
  };
  // Every look at the calendar may have been a run.
  useEffect(() => {
    if (is_open) void load();
  }, [is_open, link.id, link.state, link.status.last_verified_ms, link.status.dirty]);
  return (
    <details onToggle={(event) => set_is_open(event.currentTarget.open)} data-testid="runs">
      <summary>What sync did</summary>
      {trouble !== null && <p className="trouble" role="alert">{trouble}</p>}
      {runs === null && trouble === null && <p className="hint">Asking the server…</p>}
      {runs?.length === 0 && <p className="hint">Nothing yet.</p>}
      {runs !== null && runs.length > 0 && (
        <ol className="plain runs">
          {runs.slice(0, shown).map((run) => (
            <li key={run.run}>
              <RunPart {...{ link, members, run }} refresh={async () => void (await Promise.all([load(), refresh()]))} />
            </li>
          ))}
        </ol>
      )}
      {runs !== null && runs.length > shown && (
        <button type="button" onClick={() => set_shown(shown + 20)}>
          Show earlier ones
        </button>
      )}
    </details>
  );
}

// "2 events made, 1 card changed"
export function run_text(run: Run): string {
  const parts = [
    run.inserts > 0 && `${count(run.inserts, 'event')} made`,
    run.patches > 0 && `${count(run.patches, 'event')} changed`,
    run.deletes > 0 && `${count(run.deletes, 'event')} removed`,
    run.card_edits > 0 && `${count(run.card_edits, 'card')} changed`,
    run.cards_created > 0 && `${count(run.cards_created, 'card')} made`,
  ].filter((part) => part !== false);
  if (parts.length > 0) return parts.join(', ');
  if (run.guard !== null) return 'stopped before it changed anything';
  return run.finished_ms === null ? 'under way, or cut off' : 'nothing went through';
}

function RunPart({ link, members, run, refresh }: Props & { run: Run }) {
  const { rest } = use_page();
  const [entries, set_entries] = useState<Entry[] | null>(null);
  const [trouble, set_trouble] = useState<string | null>(null);
  const open = async (): Promise<void> => {
    try {
      set_entries((await rest.run(link.id, run.run)).entries ?? []);
    } catch (error) {
      set_trouble((error as Error).message);
    }
  };
  return (
    <details
      data-testid={`run-${run.run}`}
      onToggle={(event) => {
        if (event.currentTarget.open && entries === null) void open();
      }}
    >
      <summary>
        {format_instant(run.started_ms)}: {run_text(run)}
        {run.undone_run !== null && ` (takes back run ${run.undone_run})`}
        {run.undone_by !== null && ' (taken back)'}
      </summary>
      <p className="hint">Run {run.run}</p>
      {run.guard !== null && <p className="notice trouble">{run.guard.reason}</p>}
      {run.error !== null && <p className="notice trouble">{run.error.message}</p>}
      {trouble !== null && <p className="trouble" role="alert">{trouble}</p>}
      {entries !== null && (
        <ul className="plain">
          {entries.map((entry) => (
            <li key={entry.id}>
              <EntryText entry={entry} members={members} has_title />
            </li>
          ))}
        </ul>
      )}
      {entries !== null && entries.length > 0 && run.undone_by === null && link.state === 'active' && (
        <Undo {...{ link, run, refresh }} />
      )}
    </details>
  );
}

interface EntryProps {
  entry: Entry;
  members: ReadonlyMap<Id, Member>;
  has_title?: boolean;
}

export function EntryText({ entry, members, has_title = false }: EntryProps) {
  const who =
    entry.by === 'calendar'
      ? 'somebody in the calendar'
      : entry.member === null
        ? 'Kalends'
        : (members.get(entry.member)?.name ?? 'a member');
  return (
    <>
      {has_title && <strong>{entry.title || 'A card'}: </strong>}
      {entry.text}{' '}
      <span className="hint">
        For {who}, {format_instant(entry.at_ms)} ({entry.id})
      </span>
    </>
  );
}

// First what it would do, then the word of a person, then it is done.
function Undo({ link, run, refresh }: { link: Link; run: Run; refresh(): Promise<void> }) {
  const { rest, tell } = use_page();
  const [plan, set_plan] = useState<RunReport | null>(null);
  const [is_busy, set_is_busy] = useState(false);
  const ask = async (is_dry_run: boolean): Promise<void> => {
    set_is_busy(true);
    try {
      const report = await rest.undo_run(link.id, run.run, is_dry_run);
      if (report.error !== undefined) tell(`Not all of it could be taken back yet: ${report.error.message}`);
      set_plan(is_dry_run ? report : null);
      if (!is_dry_run) {
        if (report.left !== undefined && report.left.length > 0)
          tell(`Taken back, but ${count(report.left.length, 'card')} were left as they are.`);
        await refresh();
      }
    } catch (error) {
      tell(`That could not be done: ${(error as Error).message}`);
    } finally {
      set_is_busy(false);
    }
  };
  if (plan === null)
    return (
      <button type="button" disabled={is_busy} data-testid={`undo-run-${run.run}`} onClick={() => void ask(true)}>
        Take it back…
      </button>
    );
  return (
    <div className="notice" role="group" aria-label={`Take run ${run.run} back?`} data-testid="undo-plan">
      {plan.steps.length > 0 ? (
        <>
          <p>This is what taking it back does, on both sides:</p>
          <Steps steps={plan.steps} />
        </>
      ) : (
        <p>There is nothing to take back.</p>
      )}
      {plan.left !== undefined && plan.left.length > 0 && (
        <>
          <p>Left as it is:</p>
          <Steps steps={plan.left} />
        </>
      )}
      <div className="row wrap">
        {plan.steps.length > 0 && (
          <button type="button" className="danger" disabled={is_busy} data-testid="undo-confirm" onClick={() => void ask(false)}>
            Take it back
          </button>
        )}
        <button type="button" onClick={() => set_plan(null)}>
          Cancel
        </button>
      </div>
    </div>
  );
}

export function Steps({ steps }: { steps: readonly Step[] }) {
  return (
    <ul className="plain">
      {steps.map((step, index) => (
        <li key={index}>
          <strong>{step.title || 'An event'}</strong>
          {step.changes.map((change) => ` · ${change.field}: ${change.before} → ${change.after}`).join('')}
          {step.why !== '' && <span className="hint"> {step.why}</span>}
        </li>
      ))}
    </ul>
  );
}
