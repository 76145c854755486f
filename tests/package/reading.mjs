// SPDX-License-Identifier: Apache-2.0
// All that a document or a workspace shows, as one value: what a fixture's bytes (tests/fixtures/bytes) must read as.

/** What core.wasm says of an open document, as tests/core/reading.cc does; of the history of `entities`. */
export function reading_of(core, handle, expected) {
  const call = (name, more = {}) => core.call({ call: name, handle, ...more });
  const view = call('view');
  if (expected.titles !== undefined) {
    const titles = {};
    for (const list of view.lists) titles[list.title] = list.cards.map((card) => view.cards[card].title);
    return { titles, hash: call('hash') };
  }
  const of_each = (name) => Object.fromEntries(Object.keys(expected.history).map((entity) => [entity, call(name, { entity })]));
  return { view, conflicts: call('conflicts'), history: of_each('history'), blame: of_each('blame'), hash: call('hash') };
}

/** What the public API shows of a workspace. The past has no history of its own. */
export function workspace_reading_of(workspace) {
  const boards = {};
  for (const { id } of workspace.boards()) {
    const board = workspace.board(id);
    const cards = {};
    for (const card of board.cards())
      cards[card.id] = workspace.readOnly ? { card } : { card, history: board.card(card.id).history(), blame: board.card(card.id).blame() };
    boards[id] = { snapshot: board.snapshot, cards };
  }
  const conflicts = workspace.conflicts().map(({ snapshot }) => snapshot);
  return JSON.parse(JSON.stringify({ id: workspace.id, snapshot: workspace.snapshot, boards, conflicts }));
}

const is_map = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const is_empty = (value) => value === null || value === false || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);

/** What is wrong with `reading`, or ''. What a newer version says besides must be empty. */
export function difference_from(expected, reading, path = '') {
  const differs = () => `${path}: ${JSON.stringify(expected)?.slice(0, 200)} against ${JSON.stringify(reading)?.slice(0, 200)}`;
  if (is_map(expected) && is_map(reading)) {
    for (const [key, value] of Object.entries(expected)) {
      if (!(key in reading)) return `${path}/${key} is missing`;
      const found = difference_from(value, reading[key], `${path}/${key}`);
      if (found !== '') return found;
    }
    for (const [key, value] of Object.entries(reading))
      if (!(key in expected) && !is_empty(value)) return `${path}/${key} is not expected`;
    return '';
  }
  if (Array.isArray(expected) && Array.isArray(reading)) {
    if (expected.length !== reading.length) return differs();
    for (let i = 0; i < expected.length; ++i) {
      const found = difference_from(expected[i], reading[i], `${path}/${i}`);
      if (found !== '') return found;
    }
    return '';
  }
  return expected === reading ? '' : differs();
}
