// SPDX-License-Identifier: Apache-2.0
import { CoreDocument, CoreError, CoreTrap, load_core, type BoardView, type Command } from '@kalends/core';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { real_core } from '../support/core';

const kBoard = '0000000000000000000000000000b0a2';
const kList = '00000000000000000000000000000101';
const kCard = '00000000000000000000000000000c01';
const kNow = Date.UTC(2026, 10, 24, 9);

const replica = (digit: string): string => digit.repeat(32);
const identity = (digit: string) => ({ document: kBoard, kind: 'board' as const, replica: replica(digit), author: replica('a') });
const kFirstEdit: Command[] = [
  { do: 'create', type: 'list', id: kList, fields: { title: 'Next' } },
  { do: 'create', type: 'card', id: kCard, fields: { list: kList, title: 'Write to Åsa' } },
];

// A module with one imported function, by hand: "env"."surprise".
const kSurprise = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 16, 1, 3, 101, 110, 118, 8, 115, 117, 114, 112, 114, 105, 115, 101,
  0, 0,
]);
const kEmptyModule = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

describe('loading', () => {
  test('core.wasm asks for nothing but an exit and a notice of memory growth', async () => {
    const bytes = await readFile(new URL('../../../build/wasm/core.wasm', import.meta.url));
    const imports = WebAssembly.Module.imports(await WebAssembly.compile(new Uint8Array(bytes)));
    expect(imports.map(({ module, name }) => `${module}.${name}`).sort()).toEqual([
      'env.emscripten_notify_memory_growth',
      'wasi_snapshot_preview1.proc_exit',
    ]);
  });
  test('a module that asks for another import is refused', async () => {
    await expect(load_core(kSurprise)).rejects.toThrow('env.surprise');
  });
  test('a module that is not core is refused', async () => {
    await expect(load_core(kEmptyModule)).rejects.toBeInstanceOf(CoreTrap);
  });
  test('an answer of the server that is no file is refused', async () => {
    await expect(load_core(new Response('', { status: 404 }))).rejects.toThrow('404');
  });
  test('core loads from a response of any content type', async () => {
    const bytes = await readFile(new URL('../../../build/wasm/core.wasm', import.meta.url));
    const core = await load_core(new Response(new Uint8Array(bytes), { headers: { 'content-type': 'text/plain' } }));
    expect(core.memory_bytes()).toBeGreaterThan(0);
  });
});

describe('calling', () => {
  test('an edit shows in the view', async () => {
    const document = CoreDocument.open(await real_core(), identity('1'));
    const answer = document.edit(kNow, kFirstEdit);
    expect(answer.ops.length).toBeGreaterThan(0);
    const view = document.view() as BoardView;
    expect(view.lists.map((list) => [list.title, list.cards])).toEqual([['Next', [kCard]]]);
    expect(view.cards[kCard]).toEqual(document.card(kCard));
    expect(view.cards[kCard]!.title).toBe('Write to Åsa');
  });
  test('what core refuses comes as an error with its code, and core goes on', async () => {
    const document = CoreDocument.open(await real_core(), identity('1'));
    const refused = (): unknown => document.edit(kNow, [{ do: 'set', entity: kCard, field: 'title', value: 'x' }]);
    expect(refused).toThrow(CoreError);
    expect(refused).toThrow(expect.objectContaining({ code: 'not_found' }));
    expect(document.edit(kNow, kFirstEdit).created).toHaveLength(2);
  });
  test('two replicas that have seen the same operations have the same hash', async () => {
    const core = await real_core();
    const first = CoreDocument.open(core, identity('1'));
    const second = CoreDocument.open(await real_core(), identity('2'));
    second.merge(kNow, first.edit(kNow, kFirstEdit).ops);
    const of_first = first.edit(kNow + 1, [{ do: 'set', entity: kCard, field: 'title', value: 'One' }]).ops;
    const of_second = second.edit(kNow + 2, [{ do: 'set', entity: kCard, field: 'title', value: 'Two' }]).ops;
    first.merge(kNow + 3, of_second);
    second.merge(kNow + 3, of_first);
    expect(second.hash()).toBe(first.hash());
    expect(first.card(kCard).conflicts[0]!.values.map((value) => value.value)).toEqual(['Two', 'One']);
  });
  test('a document opens from the chunks of its edits, and from a snapshot', async () => {
    const core = await real_core();
    const document = CoreDocument.open(core, identity('1'));
    const chunks = [
      document.edit(kNow, kFirstEdit).ops,
      document.edit(kNow + 1, [{ do: 'set', entity: kCard, field: 'due', value: { date: '2026-12-01' } }]).ops,
    ];
    expect(CoreDocument.open(core, { ...identity('1'), ops: chunks }).hash()).toBe(document.hash());
    expect(CoreDocument.open(core, { ...identity('1'), snapshot: document.snapshot() }).hash()).toBe(document.hash());
    expect(CoreDocument.open(core, { ...identity('1'), ops: [document.since(new Uint8Array())] }).hash()).toBe(document.hash());
  });
  test('memory may grow between calls and within one', async () => {
    const core = await real_core();
    const before = core.memory_bytes();
    const document = CoreDocument.open(core, identity('1'));
    document.edit(kNow, kFirstEdit);
    const text = 'long '.repeat(40_000);
    for (let round = 0; round < 10; ++round) {
      document.edit(kNow, [
        { do: 'add_child', entity: kCard, type: 'comment', fields: { text: `${round} ${text}` } },
      ]);
    }
    expect(core.memory_bytes()).toBeGreaterThan(before);
    expect(document.card(kCard).comments).toHaveLength(10);
  });
});
