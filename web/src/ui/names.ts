// SPDX-License-Identifier: Apache-2.0
// Names of members. They live outside the documents, so that they can be erased; the server tells them, and what it
// told last is remembered for the time without a network.
import type { Id } from '@kalends/core';
import { useEffect, useState } from 'react';
import type { Rest } from './rest';
import type { Session } from './session';

const kStorageKey = 'kalends.names';

export function use_names(rest: Rest, session: Session): ReadonlyMap<Id, string> {
  const { member, name, workspace } = session.account;
  const [names, set_names] = useState<ReadonlyMap<Id, string>>(
    () => new Map([...remembered(workspace), [member, name] as const]),
  );
  useEffect(() => {
    const ask = (): void => {
      rest.members().then(
        (members) => {
          const told = members.map((one) => [one.id, one.name] as const);
          localStorage.setItem(kStorageKey, JSON.stringify({ workspace, names: told }));
          set_names(new Map([[member, name], ...told]));
        },
        // Offline: the remembered ones do.
        () => undefined,
      );
    };
    ask();
    addEventListener('online', ask);
    return () => removeEventListener('online', ask);
  }, [rest, member, name, workspace]);
  return names;
}

function remembered(workspace: Id): readonly (readonly [Id, string])[] {
  try {
    const stored = JSON.parse(localStorage.getItem(kStorageKey) ?? 'null') as {
      workspace: Id;
      names: [Id, string][];
    } | null;
    return stored !== null && stored.workspace === workspace ? stored.names : [];
  } catch {
    return [];
  }
}
