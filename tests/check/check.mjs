// SPDX-License-Identifier: Apache-2.0
// The main job without a person: a Trello export becomes a board, the board a calendar, both are edited, both must end
// the same. One JSON line on standard output; progress on standard error.
//   node tests/check/check.mjs [--import FILE] [--seed N] [--kill]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compare, compare_ledger, wants_event } from './compare.mjs';
import { board_edits, calendar_edits, day_after, day_of, is_open_on, random_of } from './edits.mjs';
import { Google, Worker, free_port, pause } from './system.mjs';

const { values: options } = parseArgs({
  options: { import: { type: 'string', default: 'tests/fixtures/trello/demo-board.json' }, seed: { type: 'string', default: '1' }, kill: { type: 'boolean', default: false } },
});

const kZone = 'Europe/Berlin';
// Each round edits eight cards at once, four on each side, and then one card on both sides: 100 edits in all.
const kRounds = 10;
const kEditsOfASide = 4;
const kDatedMax = 100;
// In every round one kill while a write is held between the stand-in's commit and its answer; around each pair another,
// every second time at any moment.
const kKills = 20;
const kKillsInFlightLeast = 10;
const kPatienceMs = 20_000;

const say = (text) => process.stderr.write(`${text}\n`);
const random = random_of(Number(options.seed));

const shows = (card, edit) => card !== null && card[edit.field] === edit.value;
// The event was deleted while the card was edited: "no date" stays open.
const is_open_without_date = (card) => card !== null && card.conflicts.some(({ field, values }) => (field === 'start' || field === 'due') && values.some((one) => !one.winner && one.value === null));

class Check {
  edits = []; // {side, field, card, order, pair?, is_kept(card now, or null)}
  times = [];
  adopted = new Map(); // event id -> card id, of events that a person made
  kills_in_flight = 0;

  async run(folder) {
    this.google = await Google.start({ seed: Number(options.seed) });
    const data = join(folder, 'data');
    // Nobody polls meanwhile: what is seen was pushed, or met by a write.
    this.worker = new Worker({ google: this.google, data, port: await free_port(), poll_seconds: 600 });
    await this.worker.start();
    const account = await this.worker.connect(this.google);
    say(`importing ${options.import}`);
    const imported = await this.worker.api('POST', `/v1/import/trello?time_zone=${kZone}`, readFileSync(options.import, 'utf8'));
    this.board = imported.board;
    await this.date_more_cards();
    this.inbox = (await this.worker.all(`/v1/boards/${this.board}/lists`)).find((list) => !list.archived).id;
    const link = await this.worker.api('POST', '/v1/links', { board: this.board, account, create: { summary: imported.title }, settings: { inbox_list: this.inbox, time_zone: kZone } });
    this.link = link.id;
    this.calendar = link.calendar.id;
    const dated = (await this.cards()).filter(wants_event).length;
    say(`${dated} dated cards become events`);
    await this.until('all dated cards are events', async () => (await this.live_events()).length === dated, 120_000);
    await this.rest();
    this.before = await this.google.stats();
    for (let round = 0; round < kRounds; round += 1) {
      await this.edit_many(round);
      await this.edit_both(round);
      say(`${this.edits.length} edits made${options.kill ? `, ${this.worker.kills} kills` : ''}`);
    }
    await this.rest();
    return this.result(dated);
  }

  cards() {
    return this.worker.all(`/v1/boards/${this.board}/cards`);
  }
  async live_events() {
    return (await this.google.events(this.calendar)).filter((event) => event.status !== 'cancelled');
  }
  card_of(event) {
    return this.adopted.get(event.id) ?? event.extendedProperties?.private?.kalends?.slice(0, 32);
  }

  // Milliseconds until `is_so` holds.
  async until(what, is_so, patience = kPatienceMs) {
    const begin = performance.now();
    while (!(await is_so())) {
      if (performance.now() - begin > patience) throw new Error(`waited in vain: ${what}`);
      await pause(5);
    }
    return performance.now() - begin;
  }

  // Until all open cards, or a hundred, have a date.
  async date_more_cards() {
    const cards = (await this.cards()).filter((card) => !card.archived);
    let missing = Math.min(cards.length, kDatedMax) - cards.filter(wants_event).length;
    for (const card of cards) {
      if (missing <= 0) break;
      if (wants_event(card)) continue;
      const day = day_of(random);
      const due = random.below(2) === 0 ? { date: day } : { at: `${day}T${String(8 + random.below(10)).padStart(2, '0')}:00:00`, zone: kZone };
      await this.worker.api('PATCH', `/v1/boards/${this.board}/cards/${card.id}`, { due });
      missing -= 1;
    }
  }

  // What both sides show. Waiting edits share one look.
  look() {
    this.looking ??= Promise.all([this.cards(), this.live_events()])
      .then(([cards, events]) => ({
        cards: new Map(cards.map((card) => [card.id, card])),
        events: new Map(events.map((event) => [this.card_of(event), event])),
      }))
      .finally(() => { this.looking = undefined; });
    return this.looking;
  }

  // Cards in step with their events and without open questions, to edit on either side.
  async some_pairs(count) {
    const { cards, events } = await this.look();
    const pairs = [...cards.values()].filter((card) => wants_event(card) && events.has(card.id) && card.conflicts.length === 0);
    return Array.from({ length: Math.min(count, pairs.length) }, () => {
      const [card] = pairs.splice(random.below(pairs.length), 1);
      return { card, event: events.get(card.id) };
    });
  }

  note(edit) {
    this.edits.push({ ...edit, order: this.edits.length });
  }

  // Waits until the other side shows what was edited; the time counts from the edit's own answer.
  async seen(what, is_seen) {
    const begin = performance.now();
    await this.until(what, async () => is_seen(await this.look()));
    this.times.push(performance.now() - begin);
  }

  // ---- many cards at once, each on one side

  async edit_many(round) {
    const pairs = await this.some_pairs(2 * kEditsOfASide);
    const acts = [];
    for (let i = 0; i < kEditsOfASide; i += 1) {
      const n = round * kEditsOfASide + i;
      acts.push(this.board_edit(n, pairs.pop()), this.calendar_edit(n, pairs.pop()));
    }
    if (!options.kill) return void (await Promise.all(acts.map((act) => act())));
    await this.hold_writes();
    const all = Promise.all(acts.map((act) => act()));
    all.catch(() => {});
    await this.kill_in_flight();
    await all;
  }

  board_edit(n, pair) {
    const path = `/v1/boards/${this.board}/cards`;
    const kind = pair === undefined ? 'create' : random.pick([...Object.keys(board_edits), 'create', 'delete', 'retitle']);
    if (kind === 'create') {
      const title = `Made on the board ${n}`;
      const [id, due] = [random.id(), { date: day_of(random) }];
      return async () => {
        await this.worker.api('POST', path, { id, list: this.inbox, title, due });
        this.note({ side: 'board', field: 'life', card: id, is_kept: (card) => card !== null });
        await this.seen(`the event of "${title}"`, ({ events }) => events.get(id)?.summary === title);
      };
    }
    const { card } = pair;
    if (kind === 'delete')
      return async () => {
        await this.worker.api('DELETE', `${path}/${card.id}`);
        this.note({ side: 'board', field: 'life', card: card.id, is_kept: (now) => now === null });
        await this.seen(`no event of "${card.title}"`, ({ events }) => !events.has(card.id));
      };
    const edit = board_edits[kind](random, n, card);
    return async () => {
      await this.worker.api('PATCH', `${path}/${card.id}`, edit.patch);
      this.note({ side: 'board', field: edit.field, card: card.id, is_kept: edit.kept });
      await this.seen(`${kind} of "${card.title}" in the calendar`, ({ events }) => edit.seen(events.get(card.id) ?? null));
    };
  }

  calendar_edit(n, pair) {
    const kind = pair === undefined ? 'create' : random.pick([...Object.keys(calendar_edits), 'create', 'delete', 'retitle']);
    if (kind === 'create') {
      const title = `Made in the calendar ${n}`;
      const date = day_of(random);
      return async () => {
        const event = await this.google.make(this.calendar, { summary: title, start: { date }, end: { date: day_after(date) } });
        let card;
        await this.seen(`the card of "${title}"`, ({ cards }) => (card = [...cards.values()].find((one) => one.title === title)) !== undefined);
        this.adopted.set(event.id, card.id);
        this.note({ side: 'calendar', field: 'life', card: card.id, is_kept: (now) => now !== null });
      };
    }
    const { card, event } = pair;
    if (kind === 'delete')
      return async () => {
        await this.google.remove(this.calendar, event.id);
        this.note({ side: 'calendar', field: 'dates', card: card.id, is_kept: (now) => now !== null && !wants_event(now) });
        await this.seen(`"${card.title}" without a date`, ({ cards }) => !wants_event(cards.get(card.id)));
      };
    const edit = calendar_edits[kind](random, n, event);
    return async () => {
      await this.google.change(this.calendar, event.id, edit.patch);
      this.note({ side: 'calendar', field: edit.field, card: card.id, is_kept: edit.seen });
      await this.seen(`${kind} of "${card.title}" on the board`, ({ cards }) => edit.seen(cards.get(card.id) ?? null));
    };
  }

  // ---- one card on both sides at once

  // Neither side knows of the other: the notice of the calendar's change is lost, so the board's edit meets it only
  // when it is written. Both must be seen in the end: shown, or open on the card.
  async edit_both(round) {
    const [board_kind, calendar_kind] = [
      ['retitle', 'retitle'], ['retitle', 'recolour'], ['move', 'move'], ['move', 'retitle'], ['recolour', 'recolour'],
      ['done', 'move'], ['place', 'place'], ['recolour', 'done'], ['retitle', 'delete'], ['delete', 'retitle'],
    ][round];
    await this.rest();  // a notice that is on its way would tell of the calendar's edit after all
    const [{ card, event }] = await this.some_pairs(1);
    const path = `/v1/boards/${this.board}/cards/${card.id}`;
    const n = `on both sides ${round}`;
    const on_board = board_kind === 'delete'
      ? { field: 'life', act: () => this.worker.api('DELETE', path), is_kept: (now) => now === null || now.conflicts.some(({ kind }) => kind === 'deletion') }
      : this.of_pair(board_edits[board_kind](random, n, card), (edit) => this.worker.api('PATCH', path, edit.patch));
    const in_calendar = calendar_kind === 'delete'
      ? { field: 'dates', act: () => this.google.remove(this.calendar, event.id), is_kept: (now) => is_open_without_date(now) }
      : this.of_pair(calendar_edits[calendar_kind](random, n, event), (edit) => this.google.change(this.calendar, event.id, edit.patch));
    await this.google.control('POST', 'faults', { kind: 'drop_push', count: 1 });
    await in_calendar.act();
    // The first write is refused (412), and nothing is held then: it is the write by which the edits have met.
    const is_held = options.kill && round % 2 === 1 && board_kind !== 'delete';
    if (is_held) await this.hold_writes();
    await on_board.act();
    for (const [side, edit] of [['calendar', in_calendar], ['board', on_board]]) this.note({ side, field: edit.field, card: card.id, is_kept: edit.is_kept, pair: round });
    const met = this.seen(`both edits (${board_kind} and ${calendar_kind}) of "${card.title}"`, ({ cards, events }) => {
      const [now, its] = [cards.get(card.id) ?? null, events.get(card.id) ?? null];
      return in_calendar.is_kept(now) && on_board.is_kept(now) && its !== null && (now.done ? '✓ ' : '') + now.title === its.summary;
    });
    met.catch(() => {});
    if (is_held) await this.kill_in_flight();
    else if (options.kill) {
      await pause(random.below(12));
      await this.worker.kill_and_restart();
    }
    await met;
    await this.google.control('DELETE', 'faults');
  }

  of_pair(edit, act) {
    return { field: edit.field, act: () => act(edit), is_kept: (card) => (edit.patch.start === undefined ? shows(card, edit) : edit.is_same(card?.due) || edit.is_same(card?.start)) || is_open_on(card, edit) };
  }

  // ---- kills

  async hold_writes() {
    for (const method of ['events.insert', 'events.patch', 'events.delete'])
      await this.google.control('POST', 'faults', { kind: 'hold_after_commit', match: { method }, count: 1 });
  }

  // The worker dies between the stand-in's commit of a write and the worker's storing of the answer.
  async kill_in_flight() {
    const held = await this.google.control('GET', 'held?wait_ms=5000');
    await pause(random.below(20));
    await this.google.control('DELETE', 'faults');
    await this.worker.kill_and_restart();
    if (held.length > 0) this.kills_in_flight += 1;
    await this.google.control('POST', 'release', { drop: true });
  }

  // ---- the end

  // Nothing to do, and nothing on its way: for a fifth of a second nobody has begun anything.
  async rest() {
    let calm = 0;
    await this.until('rest', async () => {
      const { at_rest } = await this.worker.api('GET', '/v1/sync');
      calm = at_rest ? calm + 1 : 0;
      await pause(20);
      return calm >= 10;
    }, 60_000);
  }

  async result(dated) {
    const cards = await this.cards();
    const by_id = new Map(cards.map((card) => [card.id, card]));
    const found = compare(cards, await this.google.events(this.calendar), { zone: kZone, adopted: this.adopted });
    // An edit is lost when neither shown nor open, and no later edit of the same field (or the card's end) replaced it.
    const lost = this.edits.filter((edit) => {
      const later = this.edits.filter((other) => other.card === edit.card && other.order > edit.order);
      const is_replaced = later.some((other) => (other.field === edit.field && (other.pair === undefined || other.pair !== edit.pair)) || other.field === 'life');
      return !is_replaced && !edit.is_kept(by_id.get(edit.card) ?? null);
    });
    const ledger = await this.ledger_mismatches();
    for (const text of found.mismatches) say(`mismatch: ${text}`);
    for (const text of ledger) say(`ledger: ${text}`);
    for (const edit of lost) say(`lost: ${edit.side} edit ${edit.order} of ${edit.field} on card ${edit.card}`);
    const stats = await this.google.stats();
    const spent = (count) => count(stats) - count(this.before);
    for (const violation of stats.contract_violations) say(`contract: ${JSON.stringify(violation)}`);
    const times = [...this.times].sort((a, b) => a - b);
    const line = {
      cards: cards.length,
      dated,
      events: found.events,
      edits: this.edits.length,
      converged: found.mismatches.length === 0,
      duplicates: found.duplicates,
      lost: lost.length,
      ledger_mismatches: ledger.length,
      conflicts_kept: cards.reduce((sum, card) => sum + card.conflicts.length, 0),
      api_calls: spent(({ api_calls }) => Object.values(api_calls).reduce((sum, count) => sum + count, 0)),
      writes: spent(({ writes }) => writes),
      reads_beyond_lists: spent(({ reads, list_pages }) => reads - list_pages),
      writes_at_rest: await this.writes_at_rest(),
      contract_violations: stats.contract_violations.length,
      p50_propagation_ms: Math.round(times[Math.floor(times.length / 2)]),
      p95_propagation_ms: Math.round(times[Math.floor(times.length * 0.95)]),
      seed: Number(options.seed),
      ...(options.kill ? { kills: this.worker.kills, kills_in_flight: this.kills_in_flight } : {}),
    };
    const is_fine = line.converged && line.duplicates === 0 && line.lost === 0 && line.ledger_mismatches === 0 && line.contract_violations === 0 && line.writes_at_rest === 0 && line.edits === 100;
    const is_thrifty = options.kill || (line.writes <= line.edits && line.reads_beyond_lists <= line.edits);
    const is_quick = options.kill ? line.kills >= kKills && line.kills_in_flight >= kKillsInFlightLeast : line.p95_propagation_ms <= 2000;
    return { line, ok: is_fine && is_thrifty && is_quick };
  }

  // Everything that was written to the calendar stands in the ledger once.
  async ledger_mismatches() {
    const entries = [];
    for (const { run } of await this.worker.all(`/v1/links/${this.link}/runs`))
      entries.push(...(await this.worker.api('GET', `/v1/links/${this.link}/runs/${run}`)).entries);
    const events = new Map((await this.google.events(this.calendar)).map((event) => [event.id, event]));
    const { changes } = await this.google.control('GET', 'changes');
    const ours = changes.filter((one) => one.calendar === this.calendar && events.has(one.event_id));
    return compare_ledger(entries, ours, (id) => this.card_of(events.get(id)), { has_kills: options.kill });
  }

  // Nothing has changed: a look at everything must not write.
  async writes_at_rest() {
    const { writes } = await this.google.stats();
    await this.worker.api('POST', `/v1/links/${this.link}/sync`, {});
    return (await this.google.stats()).writes - writes;
  }

  async stop() {
    await this.worker?.stop();
    await this.google?.stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'kalends-check-'));
const check = new Check();
let code = 1;
try {
  const { line, ok } = await check.run(folder);
  process.stdout.write(`${JSON.stringify(line)}\n`);
  code = ok ? 0 : 1;
} catch (error) {
  say(`the check could not be finished: ${error.stack}`);
  process.stdout.write(`${JSON.stringify({ converged: false, error: error.message })}\n`);
} finally {
  await check.stop().catch(() => {});
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);
