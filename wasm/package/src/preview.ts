// SPDX-License-Identifier: Apache-2.0
/**
 * What the server would do for a card and its event, shown before it acts: the same planner, in a module of its own
 * (`reconcile.wasm`) that is loaded when it is first needed.
 *
 * @packageDocumentation
 */
import { date_of, type Card } from './card.js';
import type { CborMap, CborValue } from './cbor.js';
import type { LoadSource } from './load.js';
import { LoadedModule, start_module, type ModuleFile, type ModuleSource } from './module.js';
import type { Plan, PreviewCard, PreviewFacts, PreviewRequest } from './preview_types.js';
import { plain, share } from './share.js';

export { KalendsError, type KalendsErrorCode } from './errors.js';
export type { LoadSource } from './load.js';
export type * from './preview_types.js';

/** A loaded reconcile.wasm. It keeps nothing between two calls; one for each thread is enough. */
export class Planner extends LoadedModule {
  /**
   * The plan for a card and its event. Nothing is done.
   *
   * @throws KalendsError `invalid` when something does not fit, and what it takes; `trap` when reconcile.wasm stopped by
   * a bug of its own: the next call finds a fresh one.
   */
  preview(request: PreviewRequest): Plan {
    try {
      return share(undefined, this.core_.call(message_of(request))) as Plan;
    } catch (error) {
      throw this.failed_(error, 'preview');
    }
  }

  /**
   * The same for a card of a board as it is now, deleted or not, with the times of its edits where the policy asks.
   *
   * @throws KalendsError as {@link preview}.
   */
  previewCard(card: Card, facts: PreviewFacts = {}): Plan {
    const { board, id } = card;
    const shown = board.find(id);
    if (shown === undefined) {
      const is_deleted = board.snapshot.deletedCards.some((one) => one.id === id);
      return this.preview({ ...facts, card: is_deleted ? { deleted: true } : null });
    }
    const is_dated = Object.values(facts.policy?.fields ?? {}).includes('later_wins');
    return this.preview({ ...facts, card: is_dated ? { ...shown, changedMs: changed_ms(card) } : shown });
  }
}

/**
 * Loads reconcile.wasm; without an argument the file of this package, as `load` does with core.wasm.
 *
 * @throws KalendsError `unavailable` when it cannot be fetched or is not reconcile.wasm; its `cause` says why.
 */
export async function loadPlanner(
  source: LoadSource = new URL('./reconcile.wasm', import.meta.url),
): Promise<Planner> {
  return start_planner(typeof source === 'string' || source instanceof URL ? fetch(source) : source);
}

const kFile: ModuleFile = { name: 'reconcile.wasm', loader: 'loadPlanner' };

/** @internal */
export function start_planner(source: ModuleSource): Promise<Planner> {
  return start_module(kFile, source, (compiled, core) => new Planner(kFile, compiled, core));
}

function message_of(request: PreviewRequest): CborMap {
  const { card, event = null, shadow = null, policy = null, now = Date.now() } = request;
  return {
    call: 'preview',
    card: card && plain(needed_of(card), core_form),
    event: event && plain(event, core_form),
    shadow: shadow && plain(shadow, core_form),
    policy: policy && plain(policy),
    now_ms: Math.floor(now),
  };
}

const kNeeded = [
  'title',
  'description',
  'location',
  'colour',
  'done',
  'list',
  'start',
  'due',
  'labels',
  'assignees',
  'archived',
  'deleted',
  'changedMs',
] as const;

// A snapshot holds much that no event shows: comments, checklists, attachments.
function needed_of(card: PreviewCard): object {
  return Object.fromEntries(kNeeded.map((name) => [name, card[name]]));
}

function changed_ms(card: Card): NonNullable<PreviewCard['changedMs']> {
  return Object.fromEntries(
    Object.entries(card.blame())
      .filter(([field]) => kStamped.has(field))
      .map(([field, { atMs }]) => [field, atMs]),
  );
}

const kStamped: ReadonlySet<string> = new Set(['title', 'done', 'position', 'start', 'due', 'location', 'colour']);
const kDates: ReadonlySet<string> = new Set(['start', 'end', 'due']);

function core_form(name: string, value: CborValue): CborValue {
  return typeof value === 'string' && kDates.has(name) ? (date_of(value) as CborValue) : value;
}
