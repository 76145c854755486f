// SPDX-License-Identifier: Apache-2.0
// The REST calls that the page makes: what cannot be an edit of the replica, because it concerns Google or the
// server itself. Everything on boards goes through the replica instead.
import type { Id } from '@kalends/core';

export interface SessionAnswer {
  member: { id: Id; name: string };
  workspace: Id;
  workspace_document: Id;
  role: string;
}
export interface GoogleAccount {
  id: Id;
  email: string;
  state: 'connected' | 'broken';
  scopes: string[];
  can_pick_calendar: boolean;
}
export interface GoogleCalendar {
  id: string;
  summary: string;
  access_role: string;
  primary: boolean;
}
export interface LinkSettings {
  which: 'all' | 'label' | 'assignee';
  // Null: none; in a change, a field that is left out stays as it is.
  which_id?: Id | null;
  done: 'flag' | 'list';
  done_list?: Id | null;
  done_mark: 'title' | 'colour' | 'both' | 'none';
  duration_minutes: number;
  details: 'full' | 'title' | 'busy';
  time_zone: string;
  inbox_list?: Id | null;
  on_event_deleted: 'unschedule' | 'archive' | 'put_back';
}
export interface LinkError {
  code: string;
  message: string;
  what_to_do: string;
}
// What the guard has stopped. `plan` names exactly these deletions: an approval says it.
export interface Guard {
  deletes: number;
  cards_losing_date: number;
  listing_doubted: boolean;
  plan: string;
  reason: string;
}
export interface Step {
  kind: 'new_event' | 'changed_event' | 'deleted_event' | 'new_card' | 'changed_card' | 'left_alone';
  card: Id | null;
  title: string;
  changes: { field: string; before: string; after: string }[];
  why: string;
}
// What a look at a link did or would do, or an undo.
export interface RunReport {
  writes: number;
  steps: Step[];
  left?: Step[];
  deletions?: string;
  error?: { code: string; message: string };
  guard?: Guard;
}
// One thing that a run did.
export interface Entry {
  id: string;
  at_ms: number;
  card: Id;
  title: string;
  by: 'bridge' | 'member' | 'calendar';
  member: Id | null;
  text: string;
}
export interface Run {
  run: number;
  started_ms: number;
  finished_ms: number | null;
  inserts: number;
  patches: number;
  deletes: number;
  card_edits: number;
  cards_created: number;
  undone_run: number | null;
  undone_by: number | null;
  guard: Guard | null;
  error: { code: string; message: string } | null;
  entries?: Entry[];
}
export interface Explanation {
  links: {
    link: Id;
    calendar: string;
    event: { start: string; end: string; presence: string } | null;
    last_plan?: { reasons: string[] };
    history: Entry[];
  }[];
}
export interface Link {
  id: Id;
  board: Id;
  account: Id;
  calendar: { id: string; summary: string };
  state: 'active' | 'paused' | 'stopped' | 'broken';
  settings: LinkSettings;
  status: {
    last_verified_ms: number | null;
    // Cards and events that wait to be looked at.
    dirty: number;
    last_error: LinkError | null;
    guard: Guard | null;
    push: boolean;
    health: 'healthy' | 'starting' | 'paused' | 'unhealthy';
    problems: readonly string[];
  };
}
export interface NewLink {
  board: Id;
  account: Id;
  calendar?: string;
  calendar_summary?: string;
  create?: { summary: string };
  settings?: Partial<LinkSettings>;
}

// What the server answered instead, or that it did not answer (`code` unavailable, `status` 0).
export class RestError extends Error {
  override name = 'RestError';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class Rest {
  constructor(private readonly token_: string) {}

  session(): Promise<SessionAnswer> {
    return this.call('GET', 'v1/session');
  }
  members(): Promise<{ id: Id; name: string }[]> {
    return this.all('v1/members');
  }
  accounts(): Promise<GoogleAccount[]> {
    return this.all('v1/google/accounts');
  }
  // Gives the address of Google's consent page. `pick` asks for the wider right to see existing calendars.
  async connect(options: { login_hint?: string; pick?: boolean; return_to?: string }): Promise<string> {
    return (await this.call<{ url: string }>('POST', 'v1/google/connect', options)).url;
  }
  disconnect(account: Id): Promise<void> {
    return this.call('DELETE', `v1/google/accounts/${account}`);
  }
  // Errors: `forbidden` when the wider right was not granted.
  calendars(account: Id): Promise<GoogleCalendar[]> {
    return this.all(`v1/google/accounts/${account}/calendars`);
  }
  links(board: Id): Promise<Link[]> {
    return this.all(`v1/links?board=${board}`);
  }
  make_link(link: NewLink): Promise<Link> {
    return this.call('POST', 'v1/links', link);
  }
  change_link(link: Id, change: { state?: 'active' | 'paused'; settings?: Partial<LinkSettings> }): Promise<Link> {
    return this.call('PATCH', `v1/links/${link}`, change);
  }
  remove_link(link: Id, events: 'leave' | 'remove'): Promise<void> {
    return this.call('DELETE', `v1/links/${link}?events=${events}`);
  }
  // Reads the calendar and says what a look would do; nothing is changed.
  preview(link: Id): Promise<RunReport> {
    return this.call('POST', `v1/links/${link}/sync`, { dry_run: true });
  }
  // `plan`: what was shown. Errors: `conflict` when it has changed since.
  approve(link: Id, plan: string): Promise<void> {
    return this.call('POST', `v1/links/${link}/approve`, { plan });
  }
  // Newest first.
  runs(link: Id): Promise<Run[]> {
    return this.all(`v1/links/${link}/runs`);
  }
  run(link: Id, run: number): Promise<Run> {
    return this.call('GET', `v1/links/${link}/runs/${run}`);
  }
  undo_run(link: Id, run: number, is_dry_run: boolean): Promise<RunReport> {
    return this.call('POST', `v1/links/${link}/runs/${run}/undo`, { dry_run: is_dry_run });
  }
  async make_board(board: { title: string; time_zone: string }): Promise<Id> {
    return (await this.call<{ id: Id }>('POST', 'v1/boards', board)).id;
  }
  // To the first open list of another board. Errors: `conflict` when somebody moved the card meanwhile.
  async transfer(board: Id, card: Id, target: Id): Promise<void> {
    const lists = await this.all<{ id: Id; archived: boolean; deleted?: boolean }>(`v1/boards/${target}/lists`);
    const list = lists.find((one) => !one.archived && one.deleted !== true);
    if (list === undefined) throw new RestError(0, 'invalid', 'That board has no open list: add one first.');
    await this.call('POST', `v1/boards/${board}/cards/${card}/transfer`, { board: target, list: list.id });
  }
  explain(board: Id, card: Id): Promise<Explanation> {
    return this.call('GET', `v1/boards/${board}/cards/${card}/explain`);
  }

  // Every page of a collection.
  private async all<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    let cursor: string | null = null;
    do {
      const page: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const address: string = `${path}${path.includes('?') ? '&' : '?'}limit=500${page}`;
      const answer: { items: Item[]; next_cursor?: string | null } = await this.call('GET', address);
      items.push(...answer.items);
      cursor = answer.next_cursor ?? null;
    } while (cursor !== null);
    return items;
  }

  private async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    let response: Response;
    try {
      response = await fetch(new URL(path, new URL('./', location.href)), {
        method,
        cache: 'no-store',
        headers: {
          authorization: `Bearer ${this.token_}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch {
      throw new RestError(0, 'unavailable', 'The server does not answer.');
    }
    const text = await response.text();
    if (!response.ok) throw problem(response.status, text);
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }
}

// RFC 9457: `detail` is for people, `code` for us.
function problem(status: number, text: string): RestError {
  try {
    const { code, detail, title } = JSON.parse(text) as { code?: string; detail?: string; title?: string };
    return new RestError(status, code ?? code_of(status), detail ?? title ?? `The server answered ${status}.`);
  } catch {
    return new RestError(status, code_of(status), `The server answered ${status}.`);
  }
}

function code_of(status: number): string {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not_found';
  return status >= 500 ? 'unavailable' : 'invalid';
}
