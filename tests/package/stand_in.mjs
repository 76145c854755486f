// SPDX-License-Identifier: Apache-2.0
// Calls that core.wasm does not have yet, as far as the tests of the package need them: so that what the package makes
// of their answers is tested before they are there.

// Puts them in place of the missing ones; what it gives takes them away again. Each is made of calls that are there.
export function stand_in(Core, missing) {
  const call = Core.prototype.call;
  const documents = new WeakMap();  // core → handle → what is known of it
  const sights = new Map();  // document and version → its snapshot then
  const of = (core, handle) => documents.get(core)?.get(handle);
  const key = (document, version) => `${document} ${version.join()}`;

  const calls = {
    open(core, request) {
      const { bytes, ...rest } = request;
      if (bytes !== undefined) rest[bytes[0] === 1 ? 'snapshot' : 'ops'] = bytes.slice(1);
      const answer = call.call(core, rest);
      if (!documents.has(core)) documents.set(core, new Map());
      documents.get(core).set(answer.handle, { document: request.document, kind: request.kind, author: request.author, replica: request.replica, done: [], undone: [] });
      return answer;
    },
    edit(core, request) {
      const document = of(core, request.handle);
      const inverse = request.commands.map((command) => inverse_of(core, request.handle, command)).reverse();
      const answer = call.call(core, request);
      if (answer.ops.length > 0) document.done.push({ forth: request.commands.map(again), back: inverse });
      return answer;
    },
    version(core, request) {
      const version = call.call(core, request);
      sights.set(key(of(core, request.handle).document, version), call.call(core, { call: 'snapshot', handle: request.handle }));
      return version;
    },
    undo: (core, request) => step(core, request, 'done', 'undone', 'back'),
    redo: (core, request) => step(core, request, 'undone', 'done', 'forth'),
    at(core, { handle, version }) {
      const { document, kind, author } = of(core, handle);
      return calls.open(core, { call: 'open', document, kind, author, replica: '0e'.repeat(16), snapshot: sights.get(key(document, version)) });
    },
    save(core, { handle, history }) {
      const body = history ? call.call(core, { call: 'since', handle, version: Uint8Array.of(1, 0) }).ops : call.call(core, { call: 'snapshot', handle });
      const bytes = new Uint8Array(1 + body.length);
      bytes[0] = history ? 0 : 1;
      bytes.set(body, 1);
      return bytes;
    },
    conflicts(core, request) {
      if (request.entity !== undefined) return call.call(core, request);
      const view = call.call(core, { call: 'view', handle: request.handle });
      return Object.keys(view.cards ?? {}).flatMap((entity) => call.call(core, { ...request, entity }).map((row) => ({ entity, ...row })));
    },
    history: (core, { handle, entity }) => [
      { op: `${'0e'.repeat(16)}:1`, author: '0a'.repeat(16), at_ms: 1, cause: 'person', kind: 'create', field: null, value: null },
      { op: `${'0e'.repeat(16)}:2`, author: '0b'.repeat(16), at_ms: 2, cause: 'person', kind: 'set', field: 'title', value: call.call(core, { call: 'card', handle, entity }).title },
    ],
    blame: () => ({ title: { op: `${'0e'.repeat(16)}:2`, author: '0b'.repeat(16), at_ms: 2, cause: 'person' } }),
  };

  function inverse_of(core, handle, command) {
    if (command.do === 'create') return { do: 'delete', entity: command.id };
    if (command.do === 'set' && command.entity !== of(core, handle).document) {
      try {
        return { ...command, value: call.call(core, { call: 'card', handle, entity: command.entity })[command.field] };
      } catch {
        return command;
      }
    }
    return command;
  }
  const again = (command) => (command.do === 'create' ? { do: 'restore', entity: command.id } : command);
  function step(core, request, from, to, way) {
    const document = of(core, request.handle);
    const transaction = document[from].pop();
    if (transaction === undefined) return { ops: new Uint8Array(0), changed: [], created: [] };
    document[to].push(transaction);
    return call.call(core, { call: 'edit', handle: request.handle, now_ms: request.now_ms, commands: transaction[way] });
  }

  const used = { open: calls.open, edit: calls.edit, version: calls.version };
  for (const name of missing) used[name] = calls[name];
  Core.prototype.call = function (request) {
    return Object.hasOwn(used, request.call) ? used[request.call](this, request) : call.call(this, request);
  };
  return () => { Core.prototype.call = call; };
}
