// SPDX-License-Identifier: Apache-2.0
// A Chromium for tests, and pages in it whose complaints are collected.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

export const kShots = fileURLToPath(new URL('../../../build/screenshots/', import.meta.url));

export async function launch(): Promise<Browser> {
  await mkdir(kShots, { recursive: true });
  return chromium.launch({
    executablePath: process.env['KALENDS_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export async function watched_page(context: BrowserContext, complaints: string[]): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return page;
}

// Waits until the badge of a page says this.
export const sync_state = (page: Page, word: string) =>
  page.waitForSelector(`[data-testid=sync-state][data-state=${word}]`);

export const card_by_title = (page: Page, title: string) =>
  page.locator('[data-testid^=card-]', { hasText: title }).first();

export async function titles(page: Page, list: string): Promise<string[]> {
  return page.getByRole('region', { name: list, exact: true }).locator('.card-title').allTextContents();
}

export async function add_list(page: Page, title: string): Promise<void> {
  await page.getByTestId('add-list').click();
  await page.getByTestId('add-list-title').fill(title);
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: title, exact: true }).waitFor();
  await page.keyboard.press('Escape');
}

export async function add_card(page: Page, list: string, title: string): Promise<void> {
  const region = page.getByRole('region', { name: list, exact: true });
  await region.locator('[data-testid^=add-card-]').click();
  await region.getByPlaceholder('What is to be done?').fill(title);
  await page.keyboard.press('Enter');
  await card_by_title(page, title).waitFor();
  await page.keyboard.press('Escape');
}

export async function retitle(page: Page, from: string, to: string): Promise<void> {
  await card_by_title(page, from).click();
  await page.getByTestId('card-title').fill(to);
  await page.getByTestId('card-title').press('Enter');
  await page.getByTestId('close-card').click();
  await card_by_title(page, to).waitFor();
}

export async function state_hash(page: Page): Promise<string> {
  await page.getByTestId('open-board').click();
  await page.getByTestId('show-hash').click();
  const hash = await page.getByTestId('state-hash').textContent();
  await page.getByTestId('open-board').click();
  return hash ?? '';
}
