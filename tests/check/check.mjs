// SPDX-License-Identifier: Apache-2.0
// The main job without a person: a Trello export becomes a board, the board a calendar, both are edited, both must end
// the same. One JSON line on standard output; progress on standard error.
//   node tests/check/check.mjs [--import FILE] [--seed N] [--kill]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compare, wants_event } from './compare.mjs';
import { board_edits, calendar_edits, day_of, random_of } from './edits.mjs';
import { Google, Worker, free_port, pause } from './system.mjs';

const { values: options } = parseArgs({
  options: { import: { type: 'string', default: 'tests/fixtures/trello/demo-board.json' }, seed: { type: 'string', default: '1' }, kill: { type: 'boolean', default: false } },
});

const kZone = 'Europe/Berlin';
const kSingleEdits = 40; // on each side; with the pairs 50
const kPairs = 10;
const kDatedMax = 100;
const kKills = 20;
const kKillsInFlight = 12;
const kPatienceMs = 20_000;

const say = (text) => process.stderr.write(`${text}\n`);
const random = random_of(Number(options.seed));

class Check {
  edits = []; // {side, field, card, event, order, kept_on_card, kept_in_event}
  times = [];
  adopted = new Map();
  kills_in_flight = 0;
  problems = [];

  async run(folder) {
    this.google = await Google.start({ seed: Number(options.seed) });
    const data = join(folder, 'data');
    this.worker = new Worker({ google: this.google, data, port: await free_port() });
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
    await this.google.control('POST', 'stats/reset');
    this.plan_kills();
    for (let n = 0; n < kSingleEdits; n += 1) {
      await this.edit_board(n);
      await this.edit_calendar(n);
      if (n % 4 === 3) await this.edit_both((n - 3) / 4);
      if (n % 10 === 9) say(`${(n + 1) * 2 + ((n + 1) / 4) * 2} edits made`);
    }
    await this.rest();
    return this.result(dated);
  }

  cards() {
    return this.worker.all(`/v1/boards/${this.board}/cards`);
  }
  card(id) {
    return this.worker.api('GET', `/v1/boards/${this.board}/cards/${id}`).catch((error) => {
      if (error.status === 404) return null;
      throw error;
    });
  }
  async live_events() {
    return (await this.google.events(this.calendar)).filter((event) => event.status !== 'cancelled');
  }
  async event_of(card) {
    return (await this.live_events()).find((event) => this.card_of(event) === card) ?? null;
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

  // A card whose event is as it should be, to edit on either side.
  async some_pair() {
    const by_card = new Map((await this.live_events()).map((event) => [this.card_of(event), event]));
    const pairs = (await this.cards()).filter((card) => wants_event(card) && by_card.has(card.id) && card.conflicts.length === 0);
    const card = random.pick(pairs);
    return { card, event: by_card.get(card.id) };
  }

  note(edit) {
    this.edits.push({ ...edit, order: this.edits.length });
  }

  async edit_board(n) {
    const kind = random.pick([...Object.keys(board_edits), 'create', 'delete', 'retitle']);
    if (kind === 'create') {
      const title = `Made on the board ${n}`;
      const id = random.id();
      await this.with_kill(() => this.worker.api('POST', `/v1/boards/${this.board}/cards`, { id, list: this.inbox, title, due: { date: day_of(random) } }));
      this.note({ side: 'board', field: 'life', card: id, is_kept: (card) => card !== null });
      this.times.push(await this.until(`event of "${title}"`, async () => (await this.event_of(id))?.summary === title));
      return;
    }
    const { card } = await this.some_pair();
    if (kind === 'delete') {
      await this.with_kill(() => this.worker.api('DELETE', `/v1/boards/${this.board}/cards/${card.id}`));
      this.note({ side: 'board', field: 'life', card: card.id, is_kept: (now) => now === null });
      this.times.push(await this.until(`no event of "${card.title}"`, async () => (await this.event_of(card.id)) === null));
      return;
    }
    const edit = board_edits[kind](random, n, card);
    await this.with_kill(() => this.worker.api('PATCH', `/v1/boards/${this.board}/cards/${card.id}`, edit.patch));
    this.note({ side: 'board', field: edit.field, card: card.id, is_kept: (now) => edit.kept(now) });
    this.times.push(await this.until(`${kind} of "${card.title}" in the calendar`, async () => edit.seen(await this.event_of(card.id))));
  }

  async edit_calendar(n) {
    const kind = random.pick([...Object.keys(calendar_edits), 'create', 'delete', 'retitle']);
    if (kind === 'create') {
      const title = `Made in the calendar ${n}`;
      const day = day_of(random);
      const event = await this.google.make(this.calendar, { summary: title, start: { date: day }, end: { date: new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10) } });
      await this.maybe_kill();
      let card;
      this.times.push(await this.until(`card of "${title}"`, async () => (card = (await this.cards()).find((one) => one.title === title))));
      this.adopted.set(event.id, card.id);
      this.note({ side: 'calendar', field: 'life', card: card.id, is_kept: (now) => now !== null });
      return;
    }
    const { card, event } = await this.some_pair();
    if (kind === 'delete') {
      await this.google.remove(this.calendar, event.id);
      await this.maybe_kill();
      this.note({ side: 'calendar', field: 'dates', card: card.id, is_kept: (now) => now?.start === null && now?.due === null });
      this.times.push(await this.until(`"${card.title}" unscheduled`, async () => !wants_event(await this.card(card.id))));
      return;
    }
    const edit = calendar_edits[kind](random, n, event);
    await this.google.change(this.calendar, event.id, edit.patch);
    await this.maybe_kill();
    this.note({ side: 'calendar', field: edit.field, card: card.id, is_kept: (now) => edit.seen(now) });
    this.times.push(await this.until(`${kind} of "${card.title}" on the board`, async () => edit.seen(await this.card(card.id))));
  }

  // Both sides at once, neither knowing of the other: the notice of the calendar's change is lost, so the board's edit
  // meets it only when it is written. Half of the pairs are about one field.
  async edit_both(n) {
    const { card, event } = await this.some_pair();
    const is_same_field = n % 2 === 0;
    const in_calendar = is_same_field ? calendar_edits.retitle(random, `both ${n}`, event) : calendar_edits.recolour(random, n, event);
    const on_board = board_edits.retitle(random, `both ${n}`, card);
    await this.google.control('POST', 'faults', { kind: 'drop_push', count: 1 });
    await this.google.change(this.calendar, event.id, in_calendar.patch);
    await this.with_kill(() => this.worker.api('PATCH', `/v1/boards/${this.board}/cards/${card.id}`, on_board.patch));
    const meets = (now) => now !== null && [now.title, ...now.conflicts.flatMap((one) => one.values.map((value) => value.value))];
    const is_kept = (edit, title) => (now) => edit.seen?.(now) || edit.kept(now) || (meets(now) || []).includes(title);
    this.note({ side: 'board', field: 'title', card: card.id, is_kept: is_kept({ kept: on_board.kept }, on_board.patch.title), pair: n });
    this.note({
      side: 'calendar', field: in_calendar.field, card: card.id,
      is_kept: is_same_field ? (now) => (meets(now) || []).includes(in_calendar.patch.summary.replace('✓ ', '')) : (now) => in_calendar.seen(now),
      pair: n,
    });
    this.times.push(
      await this.until(`both edits of "${card.title}"`, async () => {
        const [now, its] = [await this.card(card.id), await this.event_of(card.id)];
        const both = is_same_field ? now.conflicts.length > 0 : in_calendar.seen(now) && in_calendar.kept(its);
        return both && its?.summary?.endsWith(now.title);
      }),
    );
    await this.google.control('DELETE', 'faults');
  }

  // ---- kills

  plan_kills() {
    this.kill_board_at = new Set();
    this.kill_calendar_at = new Set();
    if (!options.kill) return;
    const board_edits_made = kSingleEdits + kPairs;
    for (let i = 0; i < kKillsInFlight; i += 1) this.kill_board_at.add(Math.floor((i * board_edits_made) / kKillsInFlight));
    for (let i = 0; i < kKills - kKillsInFlight; i += 1) this.kill_calendar_at.add(Math.floor((i * kSingleEdits) / (kKills - kKillsInFlight)));
    this.board_edit_number = 0;
    this.calendar_edit_number = 0;
  }

  // The worker dies between the stand-in's commit of the write that follows and the worker's storing of the answer.
  async with_kill(edit) {
    if (!this.kill_board_at.has(this.board_edit_number++)) return edit();
    for (const method of ['events.insert', 'events.patch', 'events.delete'])
      await this.google.control('POST', 'faults', { kind: 'hold_after_commit', match: { method }, count: 1 });
    await edit();
    // A meeting of two edits is first refused (412): nothing is held then until the plan is made anew.
    const held = await this.held();
    await this.google.control('DELETE', 'faults');
    await this.worker.kill_and_restart();
    if (held) this.kills_in_flight += 1;
    await this.google.control('POST', 'release', { drop: true });
  }

  async held() {
    const answer = await this.google.control('GET', 'held?wait_ms=5000');
    return (answer.held ?? answer).length > 0;
  }

  async maybe_kill() {
    if (this.kill_calendar_at.has(this.calendar_edit_number++)) await this.worker.kill_and_restart();
  }

  // ---- the end

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
    for (const text of found.mismatches) say(`mismatch: ${text}`);
    for (const edit of lost) say(`lost: ${edit.side} edit ${edit.order} of ${edit.field} on card ${edit.card}`);
    const stats = await this.google.stats();
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
      conflicts_kept: cards.reduce((sum, card) => sum + card.conflicts.length, 0),
      api_calls: Object.values(stats.api_calls).reduce((sum, count) => sum + count, 0),
      writes: stats.writes,
      contract_violations: stats.contract_violations.length,
      p50_propagation_ms: Math.round(times[Math.floor(times.length / 2)]),
      p95_propagation_ms: Math.round(times[Math.floor(times.length * 0.95)]),
      seed: Number(options.seed),
      ...(options.kill ? { kills: this.worker.kills, kills_in_flight: this.kills_in_flight } : {}),
    };
    const is_fine = line.converged && line.duplicates === 0 && line.lost === 0 && line.contract_violations === 0 && line.edits === 2 * (kSingleEdits + kPairs);
    const is_quick = options.kill ? line.kills >= kKills && line.kills_in_flight >= 10 : line.p95_propagation_ms <= 2000;
    return { line, ok: is_fine && is_quick };
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
