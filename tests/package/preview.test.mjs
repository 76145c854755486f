// SPDX-License-Identifier: Apache-2.0
// The packed package's previews in Node: every step, conflicts that are settled offline, wrong requests, a trap.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { make_project, readme_example, repository } from './support.mjs';

const kAnn = '0a'.repeat(16);
const kList = '0c'.repeat(16);
const kDoneList = '0d'.repeat(16);

const project = await make_project();
const { KalendsError, Workspace, load } = await project.import('node');
const { loadPlanner, Planner } = await project.import('preview_node');
const module = await load();
const planner = await loadPlanner();
after(() => project.remove());

const kDay = { date: '2026-11-24' };
const kNext = { date: '2026-11-25' };
const kCard = { title: 'Call Anna', due: '2026-11-24' };
const kEvent = { title: 'Call Anna', start: '2026-11-24', end: '2026-11-25' };
const agreed = (event = kEvent) => ({ ours: event, theirs: event });
const plan_of = (card, event, shadow, policy) => planner.preview({ card, event, shadow, policy, now: 1000 });
const steps_of = (...all) => plan_of(...all).steps.map((step) => step.do);

function shop(clock) {
  const workspace = Workspace.open(null, { module, author: kAnn, ...(clock && { clock }) });
  const board = workspace.createBoard({ title: 'Shop' });
  const list = board.createList({ title: 'Next' });
  const card = board.createCard({ list, ...kCard });
  return { workspace, board, list, card };
}
const fails = (code, words, act) => assert.throws(act, (error) => {
  assert.ok(error instanceof KalendsError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, words);
  return true;
});

test('the example of the README does what its comments say, and its types are right', async () => {
  const { code, promised } = await readme_example('@kalends/core/preview');
  assert.ok(promised.length >= 3);
  const out = execFileSync(process.execPath, ['--input-type=module', '--eval', code], { cwd: project.folder }).toString();
  assert.deepEqual(out.trim().split('\n'), promised);
  const typed = code.replace('const [step] = plan.steps;', 'const step = plan.steps[0]!;');
  await writeFile(join(project.folder, 'preview.mts'), `${typed}\nplanner.preview({ card: card.snapshot, policy: { done_mark: 'title', which_id: null } });\n// @ts-expect-error\nplanner.preview({ card: null, policy: { doneMark: 'titel' } });\n`);
  const tsc = join(repository, 'tests/package/node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', 'preview.mts'], { cwd: project.folder, stdio: 'pipe' });
  } catch (error) {
    assert.fail(error.stdout.toString());
  }
});

describe('every step', () => {
  test('a dated card gets an event', () => {
    assert.deepEqual(plan_of(kCard), {
      steps: [{ do: 'insert_event', text: 'An event is made in the calendar.', event: { title: 'Call Anna', done: false, start: kDay, end: kNext, description: '', location: '', colour: '' }, nextGeneration: false }],
      reasons: ['the card has a date and no event'],
      agrees: false,
    });
  });
  test('an edit of the card goes to the event, field by field', () => {
    const { steps: [step], reasons } = plan_of({ ...kCard, title: 'Call Ben', location: 'Shop' }, kEvent, agreed());
    assert.deepEqual([step.do, step.fields, step.event.title, step.text], ['patch_event', ['title', 'location'], 'Call Ben', "The event takes the card's title, location."]);
    assert.deepEqual(reasons, ['the title was changed on the card', 'the location was changed on the card']);
  });
  test('an edit of the event goes to the card', () => {
    const plan = plan_of(kCard, { ...kEvent, start: '2026-11-26', end: '2026-11-27' }, agreed());
    assert.deepEqual(plan.steps, [{ do: 'edit_card', text: "The card takes the calendar's dates.", field: 'dates', set: { due: { date: '2026-11-26' } }, keepsLoser: false }]);
    assert.equal(plan.agrees, true);
    assert.ok(Object.isFrozen(plan.steps[0].set));
  });
  test('of two edits one is shown and the other stays open', () => {
    const card = { ...kCard, title: 'Call Ben' };
    const event = { ...kEvent, title: 'Call Cleo' };
    const offer = plan_of(card, event, agreed()).steps;
    assert.deepEqual(offer.map((step) => [step.do, step.set?.title]), [['offer', 'Call Cleo'], ['patch_event', undefined]]);
    const [taken] = plan_of(card, event, agreed(), { fields: { title: 'prefer_event' } }).steps;
    assert.deepEqual([taken.do, taken.set, taken.keepsLoser], ['edit_card', { title: 'Call Cleo' }, true]);
  });
  test('texts that changed in different places merge', () => {
    const text = (description) => ({ ...kEvent, description });
    const { steps } = plan_of({ ...kCard, description: 'ONE two' }, text('one TWO'), agreed(text('one two')));
    assert.deepEqual(steps.map((step) => [step.do, step.set?.description ?? step.event.description]), [['edit_card', 'ONE TWO'], ['patch_event', 'ONE TWO']]);
  });
  test('an event that was deleted takes the dates, archives the card or is put back', () => {
    const gone = { presence: 'gone' };
    assert.deepEqual(plan_of(kCard, gone, agreed()).steps.map(({ do: what, set }) => [what, set]), [['unschedule', { due: null }], ['forget', undefined]]);
    assert.deepEqual(plan_of(kCard, gone, agreed(), { onEventDeleted: 'archive' }).steps[0].set, { archived: true });
    assert.deepEqual(plan_of(kCard, gone, agreed(), { onEventDeleted: 'put_back' }).steps.map((step) => [step.do, step.nextGeneration]), [['insert_event', true]]);
    assert.deepEqual(steps_of({ ...kCard, title: 'Edited' }, gone, agreed()), ['offer_unscheduling', 'insert_event']);
  });
  test('a card that is undated, archived, deleted or not chosen loses its event', () => {
    for (const card of [{ title: 'Call Anna' }, { ...kCard, archived: true }, { ...kCard, deleted: true }]) assert.deepEqual(steps_of(card, kEvent, agreed()), ['delete_event']);
    assert.deepEqual(steps_of(kCard, kEvent, agreed(), { which: 'label', whichId: kList }), ['delete_event']);
    assert.deepEqual(steps_of({ ...kCard, labels: [kList] }, kEvent, agreed(), { which: 'label', whichId: kList }), []);
  });
  test('an event that a person made becomes a card in the inbox, or is left alone', () => {
    const event = { ...kEvent, done: true, location: 'Shop' };
    assert.deepEqual(plan_of(null, event), { steps: [], reasons: ['an event without a card is left alone'], agrees: false });
    assert.deepEqual(plan_of(null, event, null, { inboxList: kList }).steps[0].card, { list: kList, title: 'Call Anna', due: kDay, done: true, location: 'Shop' });
    assert.deepEqual(plan_of(null, event, null, { inboxList: kList, done: 'list', doneList: kDoneList, which: 'assignee', whichId: kAnn }).steps[0].card, { list: kDoneList, title: 'Call Anna', due: kDay, location: 'Shop', assignees: [kAnn] });
    assert.deepEqual(steps_of(null, { presence: 'unmanaged' }), []);
  });
  test('done in the calendar moves the card to the list that means done', () => {
    const [step] = plan_of({ ...kCard, list: kList }, { ...kEvent, done: true }, agreed(), { done: 'list', doneList: kDoneList }).steps;
    assert.deepEqual([step.do, step.list, step.set], ['edit_card', kDoneList, {}]);
  });
});

describe('with the cards of a board', () => {
  test('a snapshot is a card, and times in zones arrive', () => {
    const { board, card } = shop();
    card.edit({ due: '2026-11-24T10:00[Europe/Berlin]', description: 'Two' });
    card.addComment('not in the event');
    const [{ event }] = planner.preview({ card: card.snapshot }).steps;
    assert.deepEqual([event.start, event.end, event.description], [{ at: '2026-11-24T09:00:00', zone: 'Europe/Berlin', fold: 0 }, { at: '2026-11-24T10:00:00', zone: 'Europe/Berlin', fold: 0 }, 'Two']);
    assert.deepEqual(planner.previewCard(board.card(card.id)).steps, planner.preview({ card: card.snapshot }).steps);
  });

  test('a conflict with the calendar is settled offline: the offered value is an edit, and nothing is open then', () => {
    const { card } = shop();
    card.edit({ title: 'Call Ben' });
    const facts = { event: { ...kEvent, title: 'Call Cleo' }, shadow: agreed() };
    const [offer] = planner.previewCard(card, facts).steps;
    assert.equal(offer.do, 'offer');
    card.edit(offer.set);
    assert.deepEqual(planner.previewCard(card, facts), { steps: [], reasons: [], agrees: true });
  });

  test('the later edit wins by the times of the card', () => {
    let now = 1000;
    const { card } = shop(() => now);
    now = 2000;
    card.edit({ title: 'Call Ben' });
    const facts = (seenMs) => ({ event: { ...kEvent, title: 'Call Cleo', seenMs }, shadow: agreed(), policy: { fields: { title: 'later_wins' } } });
    assert.deepEqual([1500, 2500].map((seen) => planner.previewCard(card, facts(seen)).steps[0].do), ['offer', 'edit_card']);
    // An event without a time was seen now.
    assert.equal(planner.previewCard(card, { ...facts(undefined), now: 1500 }).steps[0].do, 'offer');
  });

  test('deleted and missing cards', () => {
    const { board, card } = shop();
    card.delete();
    assert.deepEqual(planner.previewCard(card, { event: kEvent, shadow: agreed() }).steps.map((step) => step.do), ['delete_event']);
    const missing = board.card('0e'.repeat(16));
    assert.deepEqual(planner.previewCard(missing, { event: kEvent, policy: { inboxList: kList } }).steps.map((step) => step.do), ['create_card']);
  });

  test('a link\'s settings are taken as the REST API gives them', () => {
    const settings = { which: 'all', which_id: null, done: 'flag', done_list: null, done_mark: 'title', duration_minutes: 30, details: 'title', time_zone: 'Europe/Berlin', inbox_list: null, on_event_deleted: 'unschedule', fields: { title: 'prefer_card', done: 'prefer_card', dates: 'prefer_card', description: 'prefer_card', location: 'prefer_card', colour: 'prefer_card' } };
    const [{ event }] = plan_of({ ...kCard, due: '2026-11-24T10:00', description: 'private' }, null, null, settings).steps;
    assert.deepEqual([event.start.at, event.description], ['2026-11-24T09:30:00', '']);
  });

  test('whoever takes the steps of a plan comes to rest', () => {
    let state = 1;
    const random = (bound) => (state = (state * 48271) % 2147483647) % bound;
    const word = () => ['Call', 'Flyers', 'Größe', '🦊'][random(4)] + random(3);
    const date = () => (random(2) ? `2026-11-2${random(9)}` : `2026-11-2${random(9)}T1${random(9)}:00[Europe/Berlin]`);
    const { board, list } = shop();
    const facet = () => {
      const day = `2026-11-2${random(8)}`;
      const dates = random(2) ? { start: day, end: `2026-11-2${Number(day.at(-1)) + 1}` } : { start: `${day}T10:00[Europe/Berlin]`, end: `${day}T1${1 + random(5)}:00[Europe/Berlin]` };
      return { title: word(), done: random(2) === 1, description: word(), location: word(), colour: ['', 'sage'][random(2)], ...dates };
    };
    let taken = 0;
    for (let i = 0; i < 300; ++i) {
      const dates = random(3) === 0 ? { start: '2026-11-20', due: '2026-11-29' } : random(2) ? { due: date() } : { start: date() };
      const card = board.createCard({ list, title: word(), description: word(), done: random(2) === 1, location: word(), ...dates });
      let event = facet();
      const shadow = [null, agreed(facet()), agreed(event)][random(3)];
      const fields = Object.fromEntries(['title', 'dates', 'description', 'location', 'colour', 'done'].map((name) => [name, 'prefer_event']));
      for (const step of planner.previewCard(card, { event, shadow, policy: { fields } }).steps) {
        if (step.do === 'edit_card') card.edit(step.set);
        else if (step.do === 'patch_event') ({ event } = step);
        else assert.fail(step.do);
        ++taken;
      }
      const rest = planner.previewCard(card, { event, shadow: agreed(event), policy: { fields } });
      assert.deepEqual(rest, { steps: [], reasons: [], agrees: true }, JSON.stringify([i, card.snapshot, event, rest]));
    }
    assert.ok(taken > 500);
  });
});

test('wrong requests say what they take', () => {
  const wrong = [
    [{ card: kCard, event: { title: 'x' } }, /event.*start.*end/],
    [{ card: kCard, event: { ...kEvent, summary: 'x' } }, /`event` has no `summary`/],
    [{ card: kCard, event: { ...kEvent, end: '2026-11-24' } }, /day after/],
    [{ card: kCard, event: { ...kEvent, end: '2026-11-24T10:00' } }, /a day at one end/],
    [{ card: kCard, event: { ...kEvent, presence: 'dead' } }, /one of: live, gone, unmanaged/],
    [{ card: kCard, shadow: { ours: kEvent } }, /shadow.theirs/],
    [{ card: { ...kCard, due: '24.11.2026' } }, /A date is/],
    [{ card: { ...kCard, due: { date: '2026-02-30' } } }, /card.due.*date/],
    [{ card: { ...kCard, title: 5 } }, /card.title.*text/],
    [{ card: { ...kCard, labels: ['x'] } }, /card.labels.*ids/],
    [{ card: { ...kCard, changedMs: { titel: 5 } } }, /changed_ms.*titel/],
    [{ card: kCard, policy: { details: 'all' } }, /policy.details.*full, title, busy/],
    [{ card: kCard, policy: { detail: 'full' } }, /policy.*detail/],
    [{ card: kCard, policy: { which: 'label' } }, /which_id/],
    [{ card: kCard, policy: { done: 'list' } }, /done_list/],
    [{ card: kCard, policy: { durationMinutes: 0 } }, /1 to 10080/],
    [{ card: kCard, policy: { timeZone: 'Mars!' } }, /IANA/],
    [{ card: kCard, policy: { fields: { name: 'prefer_card' } } }, /policy.fields.*name/],
    [{ card: kCard, policy: { durationMinutes: 1.5 } }, /./],
    [undefined, /./],
  ];
  for (const [request, words] of wrong) fails('invalid', words, () => planner.preview(request));
  assert.deepEqual(steps_of(kCard, kEvent, agreed()), []);
});

test('a trap of reconcile.wasm fails that call alone', () => {
  const { workspace, card } = shop();
  const before = planner.core_;
  const exports = before.exports_;
  before.exports_ = { ...exports, kalends_call: () => { new Uint8Array(exports.memory.buffer).fill(0xa5); return exports.kalends_call(-1, -1); } };
  fails('trap', /reconcile\.wasm stopped/, () => planner.previewCard(card));
  assert.notEqual(planner.core_, before);
  assert.deepEqual(planner.previewCard(card).steps.map((step) => step.do), ['insert_event']);
  card.edit({ title: 'Fine' });
  assert.equal(workspace.board(card.board.id).find(card.id).title, 'Fine');
});

test('what is not reconcile.wasm is not loaded, and the error says what to give', async () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  for (const source of [empty, new Uint8Array(9), new URL('file:///nowhere/reconcile.wasm'), 'http://127.0.0.1:9/reconcile.wasm'])
    await assert.rejects(loadPlanner(source), (error) => error instanceof KalendsError && error.code === 'unavailable' && /reconcile\.wasm.*loadPlanner/.test(error.message) && error.cause !== undefined);
  // core.wasm loads, for the two have one ABI; it says that it cannot.
  const wrong = await loadPlanner(await readFile(join(project.installed, 'dist/core.wasm')));
  assert.ok(wrong instanceof Planner);
  assert.throws(() => wrong.preview({ card: null }), (error) => error instanceof KalendsError);
  const right = await loadPlanner(await readFile(join(project.installed, 'dist/reconcile.wasm')));
  assert.deepEqual(right.preview({ card: null }).steps, []);
  assert.ok(right.memoryBytes < 1 << 20);
});

test('core.wasm holds no planner, and reconcile.wasm no documents', async () => {
  const text = async (name) => (await readFile(join(project.installed, `dist/${name}.wasm`))).toString('latin1');
  assert.doesNotMatch(await text('core'), /insert_event/);
  assert.match(await text('reconcile'), /insert_event/);
  assert.doesNotMatch(await text('reconcile'), /custom_field/);
});
