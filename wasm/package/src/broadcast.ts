// SPDX-License-Identifier: Apache-2.0
/**
 * Keeps the tabs of one browser in step by a BroadcastChannel.
 *
 * @packageDocumentation
 */
import { KalendsError } from './errors.js';
import type { Workspace } from './workspace.js';

// `version`: what the sender has, asking for what it lacks, with `back` set when the other shall ask too.
type Message = { bytes: Uint8Array } | { version: Uint8Array; back: boolean };

/** A connection that {@link connectTabs} made. */
export interface TabConnection {
  /** Stops; the workspace stays open. */
  close(): void;
}

/**
 * Sends what is edited and merged here to other tabs (and workers) of the same origin, and merges what they send. Tabs
 * that come later get what they lack.
 *
 * @param options - `name` of the channel; default `kalends-<workspace id>`. `onError` hears of messages that could not
 * be merged.
 */
export function connectTabs(
  workspace: Workspace,
  options: { readonly name?: string; readonly onError?: (error: unknown) => void } = {},
): TabConnection {
  const channel = new BroadcastChannel(options.name ?? `kalends-${workspace.id}`);
  const send = (message: Message): void => channel.postMessage(message);
  const ask = (back: boolean): void => send({ version: workspace.version(), back });
  const receive = (message: Message): void => {
    if ('bytes' in message) {
      if (workspace.merge(message.bytes, channel).missing) ask(false);
      return;
    }
    send({ bytes: missing_in(workspace, message.version) });
    if (message.back) ask(false);
  };
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    try {
      receive(data);
    } catch (error) {
      options.onError?.(error);
    }
  };
  const stops = [
    workspace.onUpdate((bytes) => send({ bytes })),
    workspace.onMerge((bytes, from) => {
      if (from !== channel) send({ bytes });
    }),
  ];
  ask(true);
  return {
    close(): void {
      for (const stop of stops) stop();
      channel.close();
    },
  };
}

function missing_in(workspace: Workspace, version: Uint8Array): Uint8Array {
  try {
    return workspace.since(version);
  } catch (error) {
    if (error instanceof KalendsError && error.code === 'history_gone') return workspace.save();
    throw error;
  }
}
