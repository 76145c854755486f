// SPDX-License-Identifier: Apache-2.0
// The replica on the real core, a database in memory and a hub in memory.
import type { BoardView, Card, WorkspaceView } from '@kalends/core';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Browser as BrowserType } from '../support/browser';
import { Browser, kAnna, kBen, kBoard, kWorkspaceDocument, make_id, settle, start_hub } from '../support/browser';
import type { Hub } from '../support/hub';
import type { ReplicaClient } from '../../src/replica/replica_client';
import { Storage } from '../../src/replica/storage';

let hub: Hub;
let anna: BrowserType;
let ben: BrowserType;

beforeEach(async () => {
  hub = await start_hub();
  anna = new Browser(hub, kAnna, 'anna-token');
  ben = new Browser(hub, kBen, 'ben-token');
});

async function board_with_card(page: ReplicaClient): Promise<string> {
  const [list, card] = [make_id(), make_id()];
  await page.edit(kBoard, 'board', [
    { do: 'create', type: 'list', id: list, fields: { title: 'Next' } },
    { do: 'create', type: 'card', id: card, fields: { list, title: 'Call' } },
  ]);
  return card;
}

async function open_page(browser: BrowserType): Promise<ReplicaClient> {
  await browser.start();
  const page = browser.page();
  page.watch(kBoard, 'board');
  await browser.settle();
  return page;
}

const set_title = (card: string, value: string) => [{ do: 'set' as const, entity: card, field: 'title', value }];
const shown = (page: ReplicaClient, card: string): Card => (page.view(kBoard) as BoardView).cards[card]!;

test('a browser has a replica id of its own for each document, and keeps it', async () => {
  const ids = (): string[] =>
    [kBoard, kWorkspaceDocument].flatMap((id) => [...hub.document(id, 'board').watchers.values()].map((w) => w.replica));
  await open_page(anna);
  const first = ids();
  expect(new Set(first).size).toBe(2);
  anna.stop();
  await open_page(anna);
  expect(new Set(ids())).toEqual(new Set(first));
});

describe('an edit', () => {
  test('is stored before it is shown', async () => {
    const page = await open_page(anna);
    anna.is_full = true;
    await expect(board_with_card(page)).rejects.toThrow('the disk is full');
    expect((page.view(kBoard) as BoardView).lists).toEqual([]);
    anna.is_full = false;
    const card = await board_with_card(page);
    expect(shown(page, card).title).toBe('Call');
  });
  test('survives the end of the replica without a network', async () => {
    anna.has_network = false;
    const page = await open_page(anna);
    const card = await board_with_card(page);
    expect(page.sync).toMatchObject({ connection: { is: 'offline' }, unsent: 1 });
    anna.stop();
    await anna.start();
    await anna.settle();
    expect(shown(page, card).title).toBe('Call');
    expect(page.sync.unsent).toBe(1);
  });
  test('that core refuses changes nothing and says why', async () => {
    const page = await open_page(anna);
    await expect(page.edit(kBoard, 'board', set_title(make_id(), 'x'))).rejects.toMatchObject({ code: 'not_found' });
    expect((page.view(kBoard) as BoardView).cards).toEqual({});
  });
  test('that is asked for twice is made once', async () => {
    const page = await open_page(anna);
    const card = await board_with_card(page);
    const edit = {
      kind: 'edit' as const,
      page: 'p',
      request: make_id(),
      document: kBoard,
      document_kind: 'board' as const,
      commands: [{ do: 'add_child' as const, entity: card, type: 'comment' as const, fields: { text: 'once' } }],
    };
    anna.replica.receive_from_page(edit);
    anna.replica.receive_from_page(edit);
    await anna.settle();
    expect(shown(page, card).comments).toHaveLength(1);
    const answers = anna.told.filter((message) => message.kind === 'answer' && message.request === edit.request);
    expect(answers).toHaveLength(2);
    expect(answers[1]).toEqual(answers[0]);
  });
  test('of a text keeps what came in while the person typed', async () => {
    const page = await open_page(anna);
    const card = await board_with_card(page);
    const text = (value: string, base: string) =>
      page.edit(kBoard, 'board', [{ do: 'text', entity: card, field: 'description', value, base }]);
    await text('one two', '');
    await text('zero one two', 'one two');
    await text('one two three', 'one two');
    expect(shown(page, card).description).toBe('zero one two three');
  });
  test('asked of nobody is made by the next replica', async () => {
    const page = await open_page(anna);
    const card = await board_with_card(page);
    anna.stop();
    const edit = page.edit(kBoard, 'board', set_title(card, 'Later'));
    await anna.start();
    await edit;
    await anna.settle();
    expect(shown(page, card).title).toBe('Later');
  });
});

describe('two tabs', () => {
  test('show each other’s edits', async () => {
    const first = await open_page(anna);
    const second = anna.page();
    second.watch(kBoard, 'board');
    const card = await board_with_card(first);
    await anna.settle();
    await second.edit(kBoard, 'board', set_title(card, 'From the second'));
    expect(shown(first, card).title).toBe('From the second');
    expect(first.view(kBoard)).toEqual(second.view(kBoard));
  });
});

describe('two browsers', () => {
  test('see each other’s edits live', async () => {
    const annas = await open_page(anna);
    const bens = await open_page(ben);
    const card = await board_with_card(annas);
    await settle(anna, ben);
    expect(shown(bens, card).title).toBe('Call');
    expect(annas.sync).toMatchObject({ connection: { is: 'online' }, unsent: 0, catching_up: 0 });
    expect(bens.sync).toMatchObject({ connection: { is: 'online' }, unsent: 0, catching_up: 0 });
  });
  test('that join later have everything and know it', async () => {
    const annas = await open_page(anna);
    const card = await board_with_card(annas);
    await settle(anna);
    const bens = await open_page(ben);
    await settle(ben);
    expect(shown(bens, card).title).toBe('Call');
    expect(bens.sync).toMatchObject({ connection: { is: 'online' }, catching_up: 0 });
  });
  test('that edited one field apart keep the loser open, and a flip closes it on both', async () => {
    const annas = await open_page(anna);
    const bens = await open_page(ben);
    const card = await board_with_card(annas);
    await settle(anna, ben);
    anna.set_network(false);
    await annas.edit(kBoard, 'board', set_title(card, 'Call Anna'));
    await bens.edit(kBoard, 'board', set_title(card, 'Call Ben'));
    expect(annas.sync).toMatchObject({ connection: { is: 'offline' }, unsent: 1 });
    await settle(anna, ben);
    anna.set_network(true);
    await settle(anna, ben);
    expect(shown(annas, card)).toEqual(shown(bens, card));
    const [conflict] = shown(annas, card).conflicts;
    expect(conflict!.values.map((value) => value.value).sort()).toEqual(['Call Anna', 'Call Ben']);
    const loser = conflict!.values.find((value) => !value.winner)!;
    await annas.edit(kBoard, 'board', [{ do: 'resolve', entity: card, field: 'title', op: loser.op }]);
    await settle(anna, ben);
    expect(shown(bens, card)).toMatchObject({ title: loser.value, conflicts: [] });
    expect(hub.hash(kBoard)).toBe((await bens.inspect(kBoard, 'board'))!.hash);
  });
  test('share the labels of the workspace', async () => {
    const annas = await open_page(anna);
    const bens = await open_page(ben);
    bens.watch(kWorkspaceDocument, 'workspace');
    await annas.edit(kWorkspaceDocument, 'workspace', [
      { do: 'create', type: 'label', id: make_id(), fields: { name: 'Urgent', colour: 'tomato' } },
    ]);
    await settle(anna, ben);
    expect((bens.view(kWorkspaceDocument) as WorkspaceView).labels).toMatchObject([{ name: 'Urgent', colour: 'tomato' }]);
  });
});

describe('unsent edits', () => {
  test('are sent by the next start, before anybody opens their board', async () => {
    anna.has_network = false;
    const page = await open_page(anna);
    await board_with_card(page);
    anna.stop();
    anna.clients.length = 0;
    anna.has_network = true;
    await anna.start();
    anna.page();
    await anna.settle();
    const bens = await open_page(ben);
    await settle(ben);
    expect(Object.values((bens.view(kBoard) as BoardView).cards).map((card) => card.title)).toEqual(['Call']);
  });
  test('are not counted any more after the server has them, also after a restart', async () => {
    const page = await open_page(anna);
    await board_with_card(page);
    await settle(anna);
    expect(page.sync.unsent).toBe(0);
    anna.stop();
    anna.has_network = false;
    await anna.start();
    await anna.settle();
    expect(page.sync.unsent).toBe(0);
  });
  test('come back after a restore of the server lost them', async () => {
    const page = await open_page(anna);
    const card = await board_with_card(page);
    await settle(anna);
    anna.stop();
    const restored = await start_hub();
    restored.epoch = 2;
    Object.assign(anna, { hub: restored });
    await anna.start();
    await anna.settle();
    expect(restored.hash(kBoard)).toBe((await page.inspect(kBoard, 'board'))!.hash);
    expect(shown(page, card).title).toBe('Call');
  });
});

describe('a refused edit', () => {
  test('is taken back, its words are in the tray, and it stays away after a restart', async () => {
    const page = await open_page(anna);
    const card = await board_with_card(page);
    await settle(anna);
    hub.refuse = () => ({ code: 'forbidden', message: 'You may only read this board.' });
    await page.edit(kBoard, 'board', set_title(card, 'Not allowed'));
    await settle(anna);
    hub.refuse = null;
    expect(shown(page, card).title).toBe('Call');
    expect(page.tray).toMatchObject([
      { field: 'title', value: 'Not allowed', message: 'You may only read this board.', document: kBoard },
    ]);
    anna.stop();
    await anna.start();
    await anna.settle();
    expect(shown(page, card).title).toBe('Call');
    expect(page.tray).toHaveLength(1);
    page.dismiss_tray(page.tray[0]!.op);
    await anna.settle();
    expect(page.tray).toEqual([]);
  });
});

describe('a board that the server does not give', () => {
  test('is said to be refused, while the others go on', async () => {
    hub.missing.add(kBoard);
    const page = await open_page(anna);
    await settle(anna);
    expect(page.sync).toMatchObject({
      connection: { is: 'online' },
      catching_up: 0,
      refused_documents: [{ document: kBoard, code: 'not_found' }],
    });
    hub.missing.delete(kBoard);
    anna.set_network(false);
    anna.set_network(true);
    await settle(anna);
    expect(page.sync.refused_documents).toEqual([]);
  });
});

describe('many boards', () => {
  test('do not all stay open: those of long ago are closed, and come back when somebody looks', async () => {
    const page = await open_page(anna);
    const card = await board_with_card(page);
    await settle(anna);
    const unwatch = page.watch(kBoard, 'board');
    unwatch();
    for (let round = 0; round < 30; ++round) page.watch(make_id(), 'board')();
    await settle(anna);
    expect(hub.watchers(kWorkspaceDocument)).toBe(1);
    // The page still looks at this board: it was closed and is open again.
    expect(anna.told.some((message) => message.kind === 'closed' && message.document === kBoard)).toBe(true);
    expect(hub.watchers(kBoard)).toBe(1);
    await page.edit(kBoard, 'board', set_title(card, 'Still here'));
    await settle(anna);
    expect(shown(page, card).title).toBe('Still here');
  });
  test('with unsent edits stay open until the server has them', async () => {
    anna.has_network = false;
    const page = await open_page(anna);
    await board_with_card(page);
    for (let round = 0; round < 30; ++round) page.watch(make_id(), 'board')();
    await settle(anna);
    expect(anna.told.some((message) => message.kind === 'closed' && message.document === kBoard)).toBe(false);
    expect(page.sync.unsent).toBe(1);
  });
});

describe('a replica whose database is gone', () => {
  test('says that it has stopped and gives way to another', async () => {
    const complaints = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const page = await open_page(anna);
    anna.storage.close();
    page.watch(make_id(), 'board');
    await anna.settle();
    expect(page.sync.connection.is).toBe('broken');
    expect(anna.broken).toHaveLength(1);
    expect(complaints).toHaveBeenCalledOnce();
    complaints.mockRestore();
  });
});

describe('many edits', () => {
  test('are joined into one chunk, and nothing is lost by it', async () => {
    const page = await open_page(anna);
    const card = await board_with_card(page);
    await settle(anna);
    const bens = await open_page(ben);
    for (let round = 0; round < 405; ++round) await bens.edit(kBoard, 'board', set_title(card, `Title ${round}`));
    await settle(anna, ben);
    const before = (await page.inspect(kBoard, 'board'))!.hash;
    anna.stop();
    await anna.start();
    await anna.settle();
    expect((await page.inspect(kBoard, 'board'))!.hash).toBe(before);
    expect(hub.hash(kBoard)).toBe(before);
    const { chunks } = await (await Storage.open('test')).load(kBoard, 'board');
    expect(chunks.length).toBeLessThan(405);
  }, 60_000);
});
