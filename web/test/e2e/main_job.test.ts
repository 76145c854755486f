// SPDX-License-Identifier: Apache-2.0
// The main job as people see it: two browsers and Google's calendar page, with the real worker between them.
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  add_card,
  add_list,
  card_by_title,
  kShots,
  launch,
  retitle,
  state_hash,
  sync_state,
  watched_page,
} from '../support/chromium';
import { start_system, type System } from '../support/system';

let browser: Browser;
let system: System | undefined;
let contexts: BrowserContext[] = [];
let complaints: string[] = [];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  complaints = [];
  system = await start_system(['anna@example.org', 'ben@example.org']);
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  await system?.stop();
});

async function profile(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  contexts.push(context);
  return context;
}

async function signed_in(context: BrowserContext, member: string): Promise<Page> {
  const page = await watched_page(context, complaints);
  await page.goto(`${system!.address}#token=${await system!.token(member)}`);
  await sync_state(page, 'online');
  return page;
}

// Today by the clock of the board's zone.
function today(): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin' }).format(new Date());
}

async function set_due(page: Page, title: string, date: string, time = ''): Promise<void> {
  await card_by_title(page, title).click();
  await page.getByTestId('due-date').fill(date);
  if (time !== '') await page.getByTestId('due-time').fill(time);
  await page.getByTestId('due-date').press('Enter');
  await page.getByTestId('close-card').click();
  await card_by_title(page, title).getByTestId('chip-date').waitFor();
}

async function connect_google(page: Page): Promise<void> {
  await page.getByTestId('open-calendar').click();
  await page.getByTestId('connect-google').click();
  await page.locator('input[name=user][value="anna@example.org"]').check();
  for (const box of await page.locator('input[type=checkbox][name=grant]').all()) await box.check();
  await page.locator('#allow').click();
  await page.getByTestId('make-calendar').click();
  await page.locator('[data-testid=link-state][data-state=active]').waitFor();
}

const event = (page: Page, title: string) => page.locator(`[data-event-id][data-summary="${title}"]`);
const live_titles = async () =>
  (await system!.events())
    .filter((one) => one.status !== 'cancelled')
    .map((one) => one.summary)
    .sort();

test('two browsers and the calendar agree, through time without a network', async () => {
  const annas = await profile();
  const anna = await signed_in(annas, 'Anna');
  await anna.getByTestId('new-board-title').fill('Launch');
  await anna.getByTestId('new-board').click();
  await anna.waitForURL(/#\/board\//);
  await add_list(anna, 'Next');
  for (const title of ['Call the printer', 'Book the room', 'Write the text']) await add_card(anna, 'Next', title);
  await set_due(anna, 'Call the printer', today(), '10:00');
  await set_due(anna, 'Book the room', today());
  const hash = new URL(anna.url()).hash;

  // The board becomes a calendar.
  await connect_google(anna);
  expect(new URL(anna.url()).hash).toBe(hash);
  const calendar = await watched_page(await profile(), complaints);
  await calendar.goto(`${system!.google}?person=anna%40example.org&date=${today()}`);
  await event(calendar, 'Call the printer').waitFor();
  await event(calendar, 'Book the room').waitFor();
  await anna.screenshot({ path: `${kShots}e2e-linked.png` });

  const ben = await signed_in(await profile({ colorScheme: 'dark' }), 'Ben');
  await ben.goto(system!.address + hash);
  await card_by_title(ben, 'Call the printer').waitFor();

  // A person changes an event, and both boards follow.
  await event(calendar, 'Book the room').click();
  await calendar.locator('#event-summary').fill('Book the large room');
  await calendar.locator('#event-save').click();
  for (const page of [anna, ben]) await card_by_title(page, 'Book the large room').waitFor();

  // Apart: both change one card, and each another one.
  await annas.setOffline(true);
  await sync_state(anna, 'offline');
  await retitle(anna, 'Call the printer', 'Call in the morning');
  await retitle(anna, 'Write the text', 'Write the long text');
  await retitle(ben, 'Call the printer', 'Call in the evening');
  await retitle(ben, 'Book the large room', 'Book the small room');
  await event(calendar, 'Call in the evening').waitFor();
  await anna.screenshot({ path: `${kShots}e2e-offline.png` });
  await annas.setOffline(false);
  await sync_state(anna, 'online');
  await sync_state(ben, 'online');

  // Together: everything is everywhere, and the double edit is open.
  for (const page of [anna, ben]) {
    await card_by_title(page, 'Write the long text').waitFor();
    await card_by_title(page, 'Book the small room').waitFor();
  }
  await anna.getByTestId('open-conflicts').click();
  await ben.getByTestId('open-conflicts').click();
  for (const page of [anna, ben]) {
    const values = page.getByTestId('conflict-0').locator('q');
    await expect.poll(async () => (await values.allTextContents()).sort()).toEqual(['Call in the evening', 'Call in the morning']);
  }
  const winner = (await anna.getByTestId('conflict-0').locator('.winner q').textContent())!;
  await event(calendar, winner).waitFor();
  await anna.screenshot({ path: `${kShots}e2e-conflict-anna.png` });
  await ben.screenshot({ path: `${kShots}e2e-conflict-ben.png` });
  await calendar.screenshot({ path: `${kShots}e2e-calendar.png` });

  // A flip shows everywhere.
  const loser = (await ben.getByTestId('conflict-0').locator('.value:not(.winner) q').textContent())!;
  await ben.getByTestId('flip').click();
  for (const page of [anna, ben]) {
    await page.getByTestId('no-conflicts').waitFor();
    await card_by_title(page, loser).waitFor();
  }
  await event(calendar, loser).waitFor();
  await expect.poll(live_titles).toEqual(['Book the small room', loser].sort());
  await sync_state(anna, 'online');
  await sync_state(ben, 'online');
  expect(await state_hash(ben)).toBe(await state_hash(anna));
  expect(complaints).toEqual([]);
});
