// SPDX-License-Identifier: Apache-2.0
// The built page in Chromium, against the hub in memory.
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kAnna, kBen } from '../support/browser';
import {
  add_card,
  add_list,
  card_by_title,
  kShots,
  launch,
  retitle,
  state_hash,
  sync_state as state,
  titles,
  watched_page,
} from '../support/chromium';
import { start_server, type TestServer } from '../support/server';

let browser: Browser;
let server: TestServer;
let contexts: BrowserContext[] = [];
let complaints: string[] = [];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  complaints = [];
  server = await start_server(
    new Map([
      ['anna-token', kAnna],
      ['ben-token', kBen],
    ]),
  );
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  await server.close();
});

async function profile(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  contexts.push(context);
  return context;
}

async function open_page(context: BrowserContext, hash = '', is_offline = false): Promise<Page> {
  const page = await watched_page(context, complaints);
  await page.goto(server.address + hash);
  if (!is_offline) await state(page, 'online');
  return page;
}

// Signs Anna in, makes a board with two lists and three cards, and gives its address.
async function demo_board(page: Page): Promise<string> {
  await page.getByTestId('new-board-title').fill('Launch');
  await page.getByTestId('new-board').click();
  await page.waitForURL(/#\/board\//);
  for (const title of ['Next', 'Doing']) await add_list(page, title);
  for (const title of ['Write the text', 'Call the printer', 'Book the room']) await add_card(page, 'Next', title);
  return new URL(page.url()).hash;
}

// Rules of the Web Content Accessibility Guidelines that a program can check.
async function expect_accessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(
    () => (globalThis as unknown as { axe: typeof axe }).axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }),
  );
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
}

describe('signing in', () => {
  test('by the address takes the token out of it and works offline afterwards', async () => {
    const context = await profile();
    const page = await open_page(context, '#token=anna-token');
    expect(page.url()).not.toContain('token');
    await demo_board(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await context.setOffline(true);
    await state(page, 'offline');
    await page.reload();
    await state(page, 'offline');
    await card_by_title(page, 'Call the printer').waitFor();
    await card_by_title(page, 'Call the printer').click();
    await page.getByTestId('card-title').fill('Call the printer again');
    await page.keyboard.press('Enter');
    await page.getByTestId('close-card').click();
    await page.waitForSelector('[data-testid=sync-state][data-unsent="1"]');
    await page.reload();
    await card_by_title(page, 'Call the printer again').waitFor();
    await page.screenshot({ path: `${kShots}page-offline.png` });
    await context.setOffline(false);
    await state(page, 'online');
  });
  test('with a token that is not known says so', async () => {
    const page = await open_page(await profile(), '', true);
    await page.getByTestId('token').fill('wrong');
    await page.getByTestId('sign-in').click();
    await page.getByTestId('sign-in-trouble').waitFor();
    await page.screenshot({ path: `${kShots}page-sign-in.png` });
    await expect_accessible(page);
    await page.getByTestId('token').fill('anna-token');
    await page.getByTestId('sign-in').click();
    await state(page, 'online');
    complaints = complaints.filter((text) => !text.includes('401'));
    expect(complaints).toEqual([]);
  });
});

describe('the board', () => {
  test('cards and lists are dragged, and moved without dragging', async () => {
    const page = await open_page(await profile(), '#token=anna-token');
    await demo_board(page);
    await card_by_title(page, 'Book the room').dragTo(card_by_title(page, 'Write the text'), {
      targetPosition: { x: 60, y: 6 },
    });
    await expect.poll(() => titles(page, 'Next')).toEqual(['Book the room', 'Write the text', 'Call the printer']);
    await card_by_title(page, 'Write the text').dragTo(page.getByRole('region', { name: 'Doing' }));
    await expect.poll(() => titles(page, 'Doing')).toEqual(['Write the text']);
    const heads = page.locator('.list-head .count');
    await heads.nth(1).dragTo(page.getByRole('region', { name: 'Next', exact: true }), { targetPosition: { x: 8, y: 60 } });
    await expect
      .poll(() => page.locator('section.list').evaluateAll((lists) => lists.map((list) => list.getAttribute('aria-label'))))
      .toEqual(['Doing', 'Next']);
    await card_by_title(page, 'Call the printer').click();
    await page.getByTestId('move-list').selectOption({ label: 'Doing' });
    await expect.poll(() => titles(page, 'Doing')).toEqual(['Write the text', 'Call the printer']);
    await page.getByTestId('move-place').selectOption('0');
    await page.getByTestId('close-card').click();
    await expect.poll(() => titles(page, 'Doing')).toEqual(['Call the printer', 'Write the text']);
    expect(complaints).toEqual([]);
  });

  test('everything on a card can be edited', async () => {
    const page = await open_page(await profile(), '#token=anna-token');
    await demo_board(page);
    await card_by_title(page, 'Call the printer').click();
    await page.getByTestId('card-description').fill('Ask for the price of 500.');
    await page.getByTestId('due-date').fill('2026-12-01');
    await page.getByTestId('due-time').fill('10:30');
    await page.getByTestId('card-location').fill('Harbour 3');
    await page.getByTestId('card-location').press('Enter');
    await page.getByTestId('card-estimate').fill('90');
    await page.getByTestId('card-estimate').press('Enter');
    // What is refused says why, in front of the dialog, and leaves what was there.
    await page.getByTestId('card-estimate').fill('-5');
    await page.getByTestId('card-estimate').press('Enter');
    await page.getByTestId('toast').filter({ hasText: 'An estimate is 0 to 525600 minutes, or null for none.' }).waitFor();
    await page.getByRole('button', { name: 'Close the message' }).click({ timeout: 5000 });
    expect(await page.getByTestId('card-estimate').inputValue()).toBe('90');
    await page.getByTestId('colour-sage').check();
    await page.getByTestId('new-label').fill('Print');
    await page.getByTestId('new-label').press('Enter');
    await page.getByTestId(`member-${kAnna.member}`).check();
    await page.getByTestId('add-checklist').click();
    await page.getByTestId('add-checklist-title').fill('Questions');
    await page.keyboard.press('Enter');
    await page.locator('[data-testid^=add-item-]').click();
    await page.getByPlaceholder('What exactly?').fill('Paper?');
    await page.keyboard.press('Enter');
    await page.getByRole('checkbox', { name: 'Done: Paper?' }).check();
    await page.getByTestId('new-comment').fill('They open at nine.');
    await page.getByRole('button', { name: 'Comment', exact: true }).click();
    await page.getByTestId('new-attachment').fill('https://example.org/prices');
    await page.getByRole('button', { name: 'Attach' }).click();
    await page.getByRole('link', { name: 'https://example.org/prices' }).waitFor();
    await page.getByTestId('add-reminder').selectOption('60');
    await page.screenshot({ path: `${kShots}page-card.png` });
    await expect_accessible(page);
    await page.getByTestId('close-card').click();
    const card = card_by_title(page, 'Call the printer');
    await expect.poll(() => card.getByTestId('chip-date').textContent()).toContain('1 Dec, 10:30');
    await card.getByTestId('chip-label').filter({ hasText: 'Print' }).waitFor();
    await card.getByTitle('Checklist').filter({ hasText: '1/1' }).waitFor();
    await page.screenshot({ path: `${kShots}page-board.png` });
    await expect_accessible(page);
    expect(complaints).toEqual([]);
  });

  test('a deleted and an archived card come back', async () => {
    const page = await open_page(await profile(), '#token=anna-token');
    await demo_board(page);
    await card_by_title(page, 'Book the room').click();
    await page.getByTestId('delete-card').click();
    await page.getByTestId('delete-card').click();
    await card_by_title(page, 'Write the text').click();
    await page.getByTestId('archive-card').click();
    await expect.poll(() => titles(page, 'Next')).toEqual(['Call the printer']);
    await page.getByTestId('open-archive').click();
    await page.getByRole('button', { name: 'Restore Book the room' }).click();
    await page.getByRole('button', { name: 'Restore Write the text' }).click();
    await expect.poll(() => titles(page, 'Next')).toEqual(['Write the text', 'Call the printer', 'Book the room']);
    expect(complaints).toEqual([]);
  });
});

describe('two people', () => {
  test('one offline: both edits meet, the loser is open and can be flipped', async () => {
    const annas = await profile();
    const anna = await open_page(annas, '#token=anna-token');
    const hash = await demo_board(anna);
    const ben = await open_page(await profile({ colorScheme: 'dark' }), '#token=ben-token');
    await ben.goto(server.address + hash);
    await card_by_title(ben, 'Call the printer').waitFor();
    await annas.setOffline(true);
    await state(anna, 'offline');
    await retitle(anna, 'Call the printer', 'Call in the morning');
    await retitle(ben, 'Call the printer', 'Call in the evening');
    await annas.setOffline(false);
    await state(anna, 'online');
    await state(ben, 'online');
    await anna.getByTestId('open-conflicts').click();
    await ben.getByTestId('open-conflicts').click();
    for (const page of [anna, ben]) {
      await page.getByTestId('conflict-0').waitFor();
      const values = await page.getByTestId('conflict-0').locator('q').allTextContents();
      expect(values.sort()).toEqual(['Call in the evening', 'Call in the morning']);
    }
    await anna.screenshot({ path: `${kShots}page-conflict-light.png` });
    await ben.screenshot({ path: `${kShots}page-conflict-dark.png` });
    await expect_accessible(anna);
    await expect_accessible(ben);
    const loser = await ben.getByTestId('conflict-0').locator('.value:not(.winner) q').textContent();
    await ben.getByTestId('flip').click();
    for (const page of [anna, ben]) {
      await page.getByTestId('no-conflicts').waitFor();
      await card_by_title(page, loser!).waitFor();
    }
    expect(await state_hash(ben)).toBe(await state_hash(anna));
    expect(complaints).toEqual([]);
  });
});

describe('two tabs of one person', () => {
  test('share one replica, and the second goes on when the first is closed', async () => {
    const context = await profile();
    const first = await open_page(context, '#token=anna-token');
    const hash = await demo_board(first);
    const second = await open_page(context, hash);
    await card_by_title(second, 'Call the printer').waitFor();
    await first.close();
    await retitle(second, 'Call the printer', 'Call from the second tab');
    await state(second, 'online');
    expect(complaints).toEqual([]);
  });
});

describe('the calendar panel', () => {
  test('connects, makes a calendar, shows trouble and guard, pauses and unlinks', async () => {
    const page = await open_page(await profile(), '#token=anna-token');
    await demo_board(page);
    await page.getByTestId('open-calendar').click();
    await page.getByTestId('connect-google').click();
    await page.getByTestId('make-calendar').click();
    await page.getByTestId('link-error').waitFor();
    await page.screenshot({ path: `${kShots}page-calendar.png` });
    await page.getByText('Settings').click();
    await expect_accessible(page);
    await page.getByText('Settings').click();
    await page.getByTestId('link-show-plan').click();
    await page.getByTestId('link-guard').getByText('its card was archived').waitFor();
    await expect_accessible(page);
    await page.getByTestId('link-approve').click();
    await page.getByTestId('link-guard').waitFor({ state: 'detached' });
    expect(server.calls.some((call) => call.includes('/approve {"plan":"abc123"}'))).toBe(true);
    await page.getByTestId('link-pause').click();
    await page.locator('[data-testid=link-state][data-state=paused]').waitFor();
    await page.getByText('Settings').click();
    await page.getByRole('combobox', { name: 'Done shows in the event' }).selectOption('both');
    await page.getByTestId('save-settings').click();
    await expect.poll(() => server.calls.some((call) => call.startsWith('PATCH') && call.includes('"done_mark":"both"'))).toBe(true);
    await page.getByTestId('pick-calendar').click();
    await page.getByTestId('pick-not-granted').waitFor();
    await page.getByTestId('link-unlink').click();
    await page.getByTestId('unlink-leave').click();
    await page.getByTestId('link-state').waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });

  test('tells what sync did, run by run and card by card, and takes a run back after a word', async () => {
    const page = await open_page(await profile(), '#token=anna-token');
    await demo_board(page);
    await page.getByTestId('open-calendar').click();
    await page.getByTestId('connect-google').click();
    await page.getByTestId('make-calendar').click();
    await page.getByText('What sync did').click();
    const run = page.getByTestId('run-7');
    await run.getByText('1 event changed, 2 cards changed').click();
    await run.getByText('title "Call the printer" → "Call them"').waitFor();
    await run.getByText('somebody in the calendar').waitFor();
    await page.getByTestId('undo-run-7').click();
    await page.getByTestId('undo-plan').getByText('card and event are as they were').waitFor();
    await page.getByTestId('undo-plan').getByText('run 8 has changed it since').waitFor();
    await expect_accessible(page);
    await page.screenshot({ path: `${kShots}page-runs.png` });
    expect(server.calls.filter((call) => call.includes('/undo'))).toEqual([
      expect.stringContaining('/runs/7/undo {"dry_run":true}'),
    ]);
    await page.getByTestId('undo-confirm').click();
    await run.getByText('(taken back)').waitFor();
    await page.getByTestId('undo-run-7').waitFor({ state: 'detached' });
    expect(server.calls.filter((call) => call.includes('/undo {"dry_run":false}')).length).toBe(1);
    await page.keyboard.press('Escape');
    await card_by_title(page, 'Call the printer').click();
    await page.getByTestId('explain').click();
    await page.getByTestId('explanation').getByText('the title was changed in the calendar').waitFor();
    await expect_accessible(page);
    expect(complaints).toEqual([]);
  });
});
