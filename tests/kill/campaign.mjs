// SPDX-License-Identifier: Apache-2.0
// Kills the worker at random moments while people edit boards and calendars, and judges what is left of their edits.
//   node --experimental-websocket tests/kill/campaign.mjs [--kills N] [--seed N] [--json] [--restore] [--plant-loss]
// --restore puts the backup of the first round back after each later one.
// --plant-loss takes an acknowledged operation out of the log, to show that the judge would see it.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { random_of } from '../check/edits.mjs';
import { wants_event } from '../check/compare.mjs';
import { Google, Worker, free_port, pause } from '../check/system.mjs';
import { Client, Core } from './client.mjs';
import { execute, integrity } from './integrity.mjs';
import { judge } from './judge.mjs';

const { values: options } = parseArgs({
  options: { kills: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' }, json: { type: 'boolean', default: false }, restore: { type: 'boolean', default: false }, 'plant-loss': { type: 'boolean', default: false } },
});
const kKills = Number(options.kills);
if (!Number.isInteger(kKills) || kKills < 1) {
  process.stderr.write(`--kills is a number from 1, not ${options.kills}.\n`);
  process.exit(2);
}
const kSeed = Number(options.seed);
const kCards = 30;
const kCopies = 2;
// So many kills, then everybody rests and everything is judged.
const kKillsOfARound = 25;
const kPatienceMs = 60_000;
// Where the blow falls: how likely, and how long after the process was begun (starting) or was ready.
const kMoments = {
  starting: { weight: 2, from_start: true, ms: 30 },
  recovering: { weight: 3, ms: 40 },
  running: { weight: 3, ms: 220 },
  in_flight: { weight: 3, ms: 12 },
};
const kFirstStarts = Math.min(5, Math.floor(kKills / 10));

const say = (text) => process.stderr.write(`${text}\n`);
const random = random_of(kSeed);
// Every edit of a date has a day of its own.
const day = (n) => new Date(Date.UTC(2027, 0, 1) + n * 86_400_000).toISOString().slice(0, 10);

function moment_of() {
  let dice = random.below(Object.values(kMoments).reduce((sum, { weight }) => sum + weight, 0));
  for (const [name, { weight }] of Object.entries(kMoments)) if ((dice -= weight) < 0) return name;
}

// The worker, begun without waiting, and killed whether or not it is ready.
class Victim extends Worker {
  begin() {
    const starting = this.start();
    starting.catch(() => {}); // killed before it was ready
    this.ready = starting;
    return this.child;
  }
  async kill() {
    const { child } = this;
    if (child.exitCode !== null) throw new Error(`the worker ended by itself (${child.exitCode})`);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    this.kills += 1;
  }
}

class Campaign {
  edits = [];
  made = []; // events that a person made
  numbers = 0;
  copies = [];
  violations = [];
  crash_moments = { first_start: 0, ...Object.fromEntries(Object.keys(kMoments).map((name) => [name, 0])) };
  is_calm = true;
  acknowledged_by_copies = 0;

  async run(folder) {
    this.google = await Google.start({ seed: kSeed });
    await this.google.control('POST', 'switches', { quota_per_user: 0, quota_per_project: 0 });
    this.data = join(folder, 'data');
    this.worker = new Victim({
      google: this.google, data: this.data, port: await free_port(), poll_seconds: 2,
      environment: { KALENDS_LOG_LEVEL: 'error', KALENDS_BACKOFF_MIN_MS: '20', KALENDS_BACKOFF_MAX_MS: '200', KALENDS_GOOGLE_QUOTA_USER_PER_MINUTE: '1000000', KALENDS_GOOGLE_QUOTA_PROJECT_PER_MINUTE: '1000000' },
    });
    await this.first_starts();
    await this.prepare();
    const actors = [this.api_actor(), this.person_actor(), ...Array.from({ length: kCopies }, (_, n) => this.copy_actor(n))];
    this.actors = Promise.all(actors);
    this.actors.catch((error) => { this.failure = error; });
    while (this.worker.kills < kKills) {
      this.is_calm = false;
      const until = Math.min(kKills, this.worker.kills + kKillsOfARound);
      while (this.worker.kills < until) {
        if (this.failure) throw this.failure;
        await this.strike(moment_of());
      }
      const verdict = await this.calm();
      say(`${this.worker.kills} kills, ${this.acknowledged()} acknowledged edits, ${verdict.events} events, ${verdict.lost.length} lost, ${verdict.duplicates} duplicates`);
      for (const text of [...verdict.lost, ...verdict.mismatches]) say(`  ${text}`);
      if (verdict.lost.length > 0 || verdict.mismatches.length > 0) return this.result(verdict);
      this.verdict = verdict;
      if (options.restore && this.backup) {
        this.verdict = await this.restore();
        say(`restored: ${this.verdict.events} events, ${this.verdict.lost.length} lost, ${this.verdict.duplicates} duplicates`);
        for (const text of [...this.verdict.lost, ...this.verdict.mismatches]) say(`  ${text}`);
        if (this.verdict.lost.length > 0 || this.verdict.mismatches.length > 0) return this.result(this.verdict);
      }
      if (options.restore) await this.back_up(folder);
      else this.renew_a_copy();
    }
    this.is_over = true;
    await this.actors;
    return this.result(this.verdict);
  }

  // The very first starts of a folder: key, schema, workspace and token are made then.
  async first_starts() {
    for (let i = 0; i < kFirstStarts; i += 1) {
      this.worker.begin();
      await Promise.race([this.worker.ready.catch(() => {}), pause(random.below(35))]);
      await this.worker.kill();
      this.crash_moments.first_start += 1;
    }
    this.worker.begin();
    await this.worker.ready;
  }

  async prepare() {
    const account = await this.worker.connect(this.google);
    const session = await this.worker.api('GET', '/v1/session');
    this.member = session.member.id ?? session.member;
    const board = await this.worker.api('POST', '/v1/boards', { title: 'Under fire', time_zone: 'Europe/Berlin', lists: ['Inbox', 'Next'] });
    this.board = board.id;
    this.lists = board.lists.map(({ id }) => id);
    const link = await this.worker.api('POST', '/v1/links', { board: this.board, account, create: { summary: 'Under fire' }, settings: { inbox_list: this.lists[0], time_zone: 'Europe/Berlin' } });
    this.link = link.id;
    this.calendar = link.calendar.id;
    this.cards = [];
    for (let i = 0; i < kCards; i += 1) await this.make_card('api');
    for (let i = 0; i < kCopies; i += 1) this.copies.push(this.new_copy());
    await this.rest();
  }
  new_copy() {
    return new Client({ url: this.worker.url, token: this.worker.token, board: this.board, member: this.member, replica: random.id() });
  }
  // A person at another machine: what the old copy was told is safe must be there without it.
  renew_a_copy() {
    const n = random.below(kCopies);
    this.acknowledged_by_copies += this.copies[n].acknowledged;
    this.copies[n].end();
    this.violations.push(...this.copies[n].violations);
    this.copies[n] = this.new_copy();
  }
  acknowledged() {
    return this.edits.filter(({ side, actor }) => side === 'calendar' || actor === 'api').length + this.made.length + this.acknowledged_by_copies + this.copies.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  // ---- the killer

  async strike(moment) {
    const { ms, from_start } = kMoments[moment];
    if (from_start) await pause(random.below(ms));
    else {
      await this.worker.ready;
      if (moment === 'in_flight') moment = await this.hold();
      await pause(random.below(ms));
    }
    await this.worker.kill();
    this.crash_moments[moment] += 1;
    await this.google.control('DELETE', 'faults');
    await this.google.control('POST', 'release', { drop: true });
    if (options['plant-loss'] && this.worker.kills === kKills - 1) this.plant_loss();
    // Sometimes the world goes on for a while without the worker.
    if (random.below(4) === 0) await pause(random.below(40));
    this.worker.begin();
  }
  plant_loss() {
    const { replica, acknowledged } = this.copies.reduce((a, b) => (b.acknowledged > a.acknowledged ? b : a));
    execute(join(this.data, 'kalends.db'), `DELETE FROM ops WHERE replica = x'${replica}' AND counter >= ${acknowledged}`);
  }
  // Google has committed a write, and its answer is held.
  async hold() {
    for (const method of ['events.insert', 'events.patch', 'events.delete'])
      await this.google.control('POST', 'faults', { kind: 'hold_after_commit', match: { method }, count: 2 });
    const held = await this.google.control('GET', 'held?wait_ms=400');
    return held.length > 0 ? 'in_flight' : 'running';
  }

  // ---- who edits

  note(edit) {
    this.edits.push(edit);
  }
  async turn() {
    do await pause(2 + random.below(10));
    while (this.is_calm && !this.is_over);
    return !this.is_over;
  }
  next() {
    this.numbers += 1;
    return this.numbers;
  }
  // A field and a value that nobody else will ever give it.
  some_edit(actor) {
    const n = this.next();
    const field = random.pick(['title', 'title', 'location', 'due', 'due']);
    return { actor, field, value: field === 'due' ? day(n) : `${field} ${n} by ${actor}` };
  }
  some_card() {
    return random.pick(this.cards);
  }
  async make_card(actor) {
    const n = this.next();
    const [id, title, location, due] = [random.id(), `title ${n} by ${actor}`, `location ${n} by ${actor}`, day(n)];
    await this.worker.api('POST', `/v1/boards/${this.board}/cards`, { id, list: this.lists[1], title, location, due: { date: due } });
    for (const [field, value] of Object.entries({ life: title, title, location, due })) this.note({ actor, side: 'board', card: id, field, value });
    this.cards.push(id);
  }

  // Programs at the REST interface: an answer is the acknowledgement.
  async api_actor() {
    for (;;) {
      if (!(await this.turn())) return;
      const dice = random.below(40);
      if (dice === 0 && this.cards.length < 3 * kCards) await this.make_card('api');
      else if (dice === 1 && this.cards.length > kCards) {
        const [card] = this.cards.splice(random.below(this.cards.length), 1);
        await this.worker.api('DELETE', `/v1/boards/${this.board}/cards/${card}`);
        this.note({ actor: 'api', side: 'board', card, field: 'end', value: null });
      } else {
        const card = this.some_card();
        const edit = this.some_edit('api');
        const value = edit.field === 'due' ? { date: edit.value } : edit.value;
        const is_there = await this.worker.api('PATCH', `/v1/boards/${this.board}/cards/${card}`, { [edit.field]: value }).then(() => true, (error) => (error.status === 404 ? false : Promise.reject(error)));
        if (is_there) this.note({ ...edit, side: 'board', card });
      }
    }
  }
  // A copy in a browser: edits at once, whether or not the hub is there.
  async copy_actor(n) {
    for (;;) {
      if (!(await this.turn())) return;
      const copy = this.copies[n];
      const id = this.some_card();
      if (copy.card(id) === null) continue; // it has not heard of this card yet
      const actor = `copy ${copy.replica.slice(0, 6)}`;
      if (random.below(6) === 0) {
        const value = `comment ${this.next()} by ${actor}`;
        copy.edit([{ do: 'add_child', entity: id, id: random.id(), type: 'comment', fields: { text: value } }]);
        this.note({ actor: value, side: 'board', card: id, field: 'comment', value });
        continue;
      }
      const edit = this.some_edit(actor);
      copy.edit([{ do: 'set', entity: id, field: edit.field, value: edit.field === 'due' ? { date: edit.value } : edit.value }]);
      this.note({ ...edit, side: 'board', card: id });
    }
  }
  // A person in Google's page.
  async person_actor() {
    const card_of = (event) => event.extendedProperties?.private?.kalends?.slice(0, 32);
    for (;;) {
      if (!(await this.turn())) return;
      const dice = random.below(30);
      const n = this.next();
      if (dice === 0 && this.made.length < kCards) {
        const title = `title ${n} by person`;
        await this.google.make(this.calendar, { summary: title, start: { date: day(n) }, end: { date: day(n + 1) } });
        this.made.push({ title });
        continue;
      }
      const live = (await this.google.events(this.calendar)).filter((event) => event.status !== 'cancelled' && card_of(event) !== undefined);
      if (live.length === 0) continue;
      const event = random.pick(live);
      const card = card_of(event);
      const edit = dice === 1 ? { actor: 'person', field: 'due', value: null } : this.some_edit('person');
      const act = edit.value === null ? this.google.remove(this.calendar, event.id)
        : this.google.change(this.calendar, event.id, edit.field === 'title' ? { summary: edit.value } : edit.field === 'location' ? { location: edit.value }
          : { start: { date: edit.value }, end: { date: new Date(Date.parse(edit.value) + 86_400_000).toISOString().slice(0, 10) } });
      const is_done = await act.then(() => true, (error) => ([404, 410].includes(error.status) ? false : Promise.reject(error)));
      if (is_done) this.note({ ...edit, side: 'calendar', card });
    }
  }

  // ---- backup and restore

  kalends(...words) {
    return new Promise((resolve, reject) => {
      execFile(process.env.KALENDS_BIN ?? 'build/dev/worker/kalends', words, { env: { ...process.env, KALENDS_DATA_DIR: this.data } }, (error, stdout, stderr) => (error ? reject(new Error(`kalends ${words[0]}: ${stderr}`)) : resolve(stdout)));
    });
  }
  async back_up(folder) {
    this.backup = join(folder, `backup-${this.worker.kills}.db`);
    await this.kalends('backup', this.backup);
    this.edits_backed_up = this.edits.length;
    this.made_backed_up = this.made.length;
    this.cards_backed_up = new Set((await this.worker.all(`/v1/boards/${this.board}/cards`)).map(({ id }) => id));
  }
  async restore() {
    await this.worker.stop();
    await this.kalends('restore', this.backup);
    await this.google.control('POST', 'stats/reset');
    for (const copy of this.copies) copy.allows_loss = true;
    this.worker.begin();
    await this.worker.ready;
    const status = async () => this.worker.api('GET', `/v1/links/${this.link}`);
    await this.until('the report of what would be done', async () => (await status()).status.guard !== null);
    // The copies come before the approval, or after it.
    if (random.below(2) === 0) await this.until('every copy has pushed', () => this.copies.every((copy) => copy.is_synced));
    const { writes } = await this.google.stats();
    if (writes > 0) this.violations.push(`${writes} writes before the approval`);
    await this.worker.api('POST', `/v1/links/${this.link}/approve`);
    await this.rest();
    const deletes = (await this.google.stats()).api_calls['events.delete'] ?? 0;
    if (deletes > 0) this.violations.push(`${deletes} events were deleted after the restore`);
    // What the hub alone knew, and what copies said of cards that the backup does not have, is lost with it; what copies
    // said of the others is not.
    const is_kept = ({ actor, card, field }, order) => order < this.edits_backed_up || (field !== 'life' && actor !== 'api' && actor !== 'person' && this.cards_backed_up.has(card));
    const lost_with_it = this.edits.filter((edit, order) => !is_kept(edit, order));
    const edits = this.edits.filter(is_kept);
    this.violations = this.violations.filter((text) => !/was refused/.test(text));
    for (const copy of this.copies) copy.violations = copy.violations.filter((text) => !/was refused/.test(text));
    const verdict = await this.verdict_now({ edits, lost_with_it, made: this.made.slice(0, this.made_backed_up) });
    // From here on the restored state is what there is.
    const live = await this.worker.all(`/v1/boards/${this.board}/cards`);
    this.edits = live.flatMap((card) => [['title', card.title], ['location', card.location], ['due', card.due?.date ?? null]].map(([field, value]) => ({ actor: 'the restore', side: 'board', card: card.id, field, value, is_given: true })));
    this.cards = live.map(({ id }) => id);
    this.made = this.made.slice(0, this.made_backed_up);
    for (const copy of this.copies) copy.allows_loss = false;
    return verdict;
  }

  // ---- the end of a round

  async until(what, is_so) {
    const begin = performance.now();
    while (!(await is_so())) {
      if (this.failure) throw this.failure;
      if (performance.now() - begin > kPatienceMs) throw new Error(`waited in vain: ${what}`);
      await pause(10);
    }
  }
  async rest() {
    await this.until('every copy is in step with the hub', () => this.copies.every((copy) => copy.is_synced));
    let calm = 0;
    await this.until('rest', async () => {
      if (calm === 0) await this.worker.api('POST', `/v1/links/${this.link}/sync`, {});
      const { at_rest } = await this.worker.api('GET', '/v1/sync');
      calm = at_rest && this.copies.every((copy) => copy.is_synced) ? calm + 1 : 0;
      return calm >= 5;
    });
  }
  async calm() {
    this.is_calm = true;
    await this.worker.ready;
    await pause(60); // edits under way are answered
    await this.rest();
    return this.verdict_now();
  }
  async verdict_now({ edits = this.edits, lost_with_it = [], made = this.made } = {}) {
    const { worker } = this;
    const cards = (await worker.all(`/v1/boards/${this.board}/cards`));
    const events = await this.google.events(this.calendar);
    const { histories, hash } = await this.histories();
    const adopted = new Map();
    const marked = new Set(events.map((event) => event.extendedProperties?.private?.kalends?.slice(0, 32)));
    for (const card of cards.filter((one) => wants_event(one) && !marked.has(one.id))) {
      const { links } = await worker.api('GET', `/v1/boards/${this.board}/cards/${card.id}/explain`);
      if (links[0]?.event) adopted.set(links[0].event.id, card.id);
    }
    const stats = await this.google.stats();
    const violations = [
      ...this.violations,
      ...this.copies.flatMap((copy) => copy.violations),
      ...stats.contract_violations.map((one) => `contract: ${JSON.stringify(one)}`),
    ];
    const link = await worker.api('GET', `/v1/links/${this.link}`);
    if (link.state !== 'active') violations.push(`the link is ${link.state}: ${JSON.stringify(link.status)}`);
    this.contract_violations = stats.contract_violations.length;
    const verdict = judge({ edits, lost_with_it, cards, events, histories, adopted, made, violations, hashes: [hash, ...this.copies.map((copy) => copy.hash())] });
    // For whoever looks into a failure.
    for (const card of cards.filter(({ id }) => verdict.lost.some((text) => text.includes(id)))) {
      const { field } = /(?:of|shows) (?<field>\w+) /.exec(verdict.lost.find((text) => text.includes(card.id)))?.groups ?? {};
      say(`card ${JSON.stringify({ ...card, comments: undefined })}`);
      for (const edit of this.edits.filter((one) => one.card === card.id && one.field === field)) say(`  edit ${JSON.stringify(edit)}`);
      for (const row of (histories.get(card.id) ?? []).filter((one) => !one.field || one.field === field)) say(`  history ${JSON.stringify(row)}`);
      say(`  explain ${JSON.stringify(await worker.api('GET', `/v1/boards/${this.board}/cards/${card.id}/explain`))}`);
    }
    return verdict;
  }
  // The whole history of the board as the store has it, through a copy that nobody has edited.
  async histories() {
    const exported = await this.worker.api('GET', `/v1/boards/${this.board}/export?format=json`);
    const [document] = exported.boards;
    const core = new Core();
    const bytes = (text) => (text ? new Uint8Array(Buffer.from(text, 'base64url')) : undefined);
    const { handle } = core.call('open', { document: document.id, kind: 'board', replica: '0e'.repeat(16), author: this.member, snapshot: bytes(document.snapshot), ops: bytes(document.operations) });
    const histories = new Map();
    const ids = new Set([...this.edits.map(({ card }) => card), ...(await this.worker.all(`/v1/boards/${this.board}/cards`)).map(({ id }) => id)]);
    for (const entity of ids) {
      const rows = core.call('history', { handle, entity });
      if (rows.length > 0) histories.set(entity, rows);
    }
    return { histories, hash: core.call('hash', { handle }) };
  }

  async result(verdict) {
    await this.worker.stop();
    const found = integrity(join(this.data, 'kalends.db'));
    if (found !== 'ok') verdict.mismatches.push(`the database: ${found}`);
    const line = {
      kills: this.worker.kills, acknowledged: this.acknowledged(), lost: verdict.lost.length, duplicates: verdict.duplicates,
      mismatches: verdict.mismatches.length, contract_violations: this.contract_violations, integrity: found,
      crash_moments: this.crash_moments, events: verdict.events, seed: kSeed,
    };
    return { line, ok: line.kills >= kKills && line.lost === 0 && line.duplicates === 0 && line.mismatches === 0 && line.contract_violations === 0 && found === 'ok' };
  }
  async stop() {
    this.is_over = true;
    for (const copy of this.copies) copy.end();
    await this.worker?.stop();
    await this.google?.stop();
  }
}

// Whatever ends this process ends the programs too.
process.on('exit', () => {
  for (const child of [campaign.worker?.child, campaign.google?.child]) child?.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const folder = mkdtempSync(join(tmpdir(), 'kalends-kill-'));
const campaign = new Campaign();
const begin = performance.now();
let code = 1;
try {
  const { line, ok } = await campaign.run(folder);
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  if (options.json) process.stdout.write(`${JSON.stringify({ ...line, seconds })}\n`);
  else {
    const moments = Object.entries(line.crash_moments).map(([name, count]) => `${count} ${name.replace('_', ' ')}`).join(', ');
    process.stdout.write(`${line.kills} kills (${moments}) in ${seconds} s: ${line.acknowledged} acknowledged edits, ${line.lost} lost, ${line.duplicates} duplicates, ${line.mismatches} mismatches, ${line.contract_violations} contract violations, database ${line.integrity}\n`);
  }
  code = ok ? 0 : 1;
} catch (error) {
  say(`the campaign could not be finished: ${error.stack}`);
} finally {
  await campaign.stop().catch(() => {});
  if (code === 0 || !process.env.KALENDS_KEEP) rmSync(folder, { recursive: true, force: true });
  else say(`kept: ${folder}`);
}
process.exit(code);
