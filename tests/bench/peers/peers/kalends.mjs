// SPDX-License-Identifier: Apache-2.0
// Kalends through its public package. Ids of the trace are padded to 128 bits; labels and users likewise. A checklist is
// made with a card's first item, in the same transaction; items and comments have ids of our own, which the adapter
// looks up by their place and text.
import { readFileSync } from 'node:fs';

let K, module_;
const dist = new URL('../../../../wasm/package/dist/', import.meta.url);
const hexOf = new Map();
const nameOf = new Map();
const hex = name => {
  let id = hexOf.get(name);
  if (id === undefined) {
    id = '';
    for (let i = 0; i < 16; ++i) id += (i < name.length ? name.charCodeAt(i) : 0).toString(16).padStart(2, '0');
    hexOf.set(name, id);
    nameOf.set(id, name);
  }
  return id;
};
const plain = id => {
  let name = nameOf.get(id);
  if (name === undefined) {
    name = '';
    for (let i = 0; i < 32 && id.slice(i, i + 2) !== '00'; i += 2) name += String.fromCharCode(parseInt(id.slice(i, i + 2), 16));
    nameOf.set(id, name);
    hexOf.set(name, id);
  }
  return name;
};
const kBoard = hex('board');
const kWorkspace = hex('workspace');
const replicaOf = (actor, kind) => hex((kind === 'board' ? 'b' : 'w') + actor).slice(0, 30) + 'ff';
const pad = n => (n < 10 ? '0' + n : n);
const date = ms => {
  const d = new Date(ms);
  return {
    at: `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}T${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}`,
    zone: 'UTC',
    fold: 0,
  };
};
const milliseconds = when => (when === null ? null : Date.parse(when.at + 'Z'));
const kFields = { title: 'title', desc: 'description', start: 'start', due: 'due', arch: 'archived' };
// Of registers, as the trace names them, and how it says their values.
const kRegisters = { title: ['title'], start: ['start', milliseconds], due: ['due', milliseconds], archived: ['arch'], position: ['list', place => plain(place.list)] };

export class Kalends {
  static id = 'kalends';
  static lib = '@kalends/core';
  static text = true;
  static perOpOk = true;
  static async init() {
    K = await import(new URL('node.js', dist));
    module_ = await K.load(readFileSync(new URL('core.wasm', dist)));
  }

  constructor(actor, textDesc, bytes) {
    this.actor = actor;
    this.textDesc = textDesc;
    this.now = 0;
    this.ws = K.Workspace.open(bytes, {
      module: module_,
      author: hex('member' + actor),
      id: kWorkspace,
      replicas: (_, kind) => replicaOf(actor, kind),
      clock: () => this.now,
      keepsCrossedDates: true,
    });
    if (bytes) {
      this.board = this.ws.board(kBoard);
    } else {
      const off = this.ws.onUpdate(made => (this.made = made));
      this.board = this.ws.createBoard({ id: kBoard, title: 'board' });
      off();
    }
    this.checklists = new Map(); // card -> checklist
    this.items = new Map(); // item of the trace -> ours
    this.lists = new Map();
    this.handles = new Map(); // card -> its handle
  }

  txn(fn) {
    fn();
  }
  onUpdate(cb) {
    this.off?.();
    this.off = cb ? this.ws.onUpdate(cb) : undefined;
    // What made the board left before anybody listened.
    if (cb && this.made) cb(this.made);
    this.made = undefined;
  }
  events(cb) {
    this.ws.subscribe(patches => cb(patches.filter(p => p.type === 'card').map(p => plain(p.entity))));
  }

  apply(op) {
    this.now = op.t;
    const { board } = this;
    if (op.o === 'list') {
      board.createList({ id: hex(op.l), title: op.name });
      return;
    }
    if (op.o === 'card') {
      board.createCard({ id: hex(op.c), list: hex(op.l), title: op.title, description: op.desc, after: this.after(op) });
      this.lists.set(op.c, op.l);
      return;
    }
    const card = this.handle(op.c);
    try {
      this.change(card, op);
    } catch (error) {
      // A card that is not shown any more, or a neighbour that went elsewhere meanwhile.
      if (error.code === 'not_found' && op.o === 'move') card.move({ list: hex(op.l) });
      else if (error.code !== 'conflict' && error.code !== 'not_found') throw error;
    }
  }

  // Handles are kept, as an app keeps them.
  handle(c) {
    let card = this.handles.get(c);
    if (card === undefined) this.handles.set(c, (card = this.board.card(hex(c))));
    return card;
  }

  after(op) {
    return op.p === null || op.p === undefined ? null : hex(op.p);
  }

  change(card, op) {
    switch (op.o) {
      case 'move':
        return card.move({ list: hex(op.l), after: this.after(op) });
      case 'title':
      case 'desc':
      case 'arch':
        return card.edit({ [kFields[op.o]]: op.v });
      case 'start':
      case 'due':
        return card.edit({ [op.o]: op.v === null ? null : date(op.v) });
      case 'splice': {
        const { length } = card.snapshot.description;
        const at = Math.min(op.pos, length);
        return card.edit({ description: [{ at, remove: Math.min(op.del, length - at), insert: op.ins }] });
      }
      case 'lab+':
        return card.edit({ labels: { add: [hex(op.v)] } });
      case 'lab-':
        return card.edit({ labels: { remove: [hex(op.v)] } });
      case 'asg+':
        return card.edit({ assignees: { add: [hex(op.v)] } });
      case 'asg-':
        return card.edit({ assignees: { remove: [hex(op.v)] } });
      case 'chk+': {
        let list = this.checklists.get(op.c) ?? card.snapshot.checklists[0]?.id;
        if (list === undefined) list = card.addChecklist({ title: '' });
        this.checklists.set(op.c, list);
        this.items.set(op.id, card.addItem(list, { text: op.text }));
        return;
      }
      case 'chk=':
      case 'chk-': {
        const item = this.item(card, op);
        if (item === undefined) return;
        return op.o === 'chk=' ? card.editChild(item, { done: op.v }) : card.deleteChild(item);
      }
      case 'msg':
        return void card.addComment(op.text);
      case 'del':
        return card.delete();
      case 'rest':
        return card.restore();
      case 'pick':
        return this.pick(card, op);
    }
  }

  // Items that another copy made are found by their place: the trace names them in the order in which they stand.
  item(card, op) {
    const known = this.items.get(op.id);
    if (known !== undefined) return known;
    const text = Kalends.itemTexts?.get(op.id);
    for (const list of card.snapshot.checklists)
      for (const item of list.items) if (text === undefined || item.text === text) return item.id;
    return undefined;
  }

  // One click on an open conflict.
  pick(card, op) {
    const conflict = this.ws.conflicts().find(({ entity, snapshot }) => entity === card.id && snapshot.child === undefined && this.field(snapshot) === op.f);
    if (conflict === undefined) return;
    if (op.f === 'deletion') return op.v ? conflict.flip() : conflict.keep();
    const [, said = value => value] = kRegisters[conflict.snapshot.field];
    conflict.flip(conflict.snapshot.values.find(one => said(one.value) === op.v).op);
  }
  field({ kind, field }) {
    return kind === 'value' ? kRegisters[field]?.[0] : kind;
  }

  // From nothing but bytes that copies emitted, in whatever order.
  static rebuild(updates, textDesc) {
    const bytes = K.Workspace.open(null, { module: module_, author: hex('member999'), id: kWorkspace, replicas: (_, kind) => replicaOf(999, kind), clock: () => 0 });
    for (const update of updates) bytes.merge(update);
    const saved = bytes.save();
    bytes.dispose();
    return this.load(saved, 999, textDesc);
  }
  // The board of a version, shown by `show` before it is given back.
  as_of(version, show) {
    const past = this.ws.at(version);
    try {
      return show(past);
    } finally {
      past.dispose();
    }
  }
  at(version) {
    return this.as_of(version, past => this.state(past.board(kBoard)));
  }
  openLosers(version) {
    return version === undefined ? this.losers(this.ws) : this.as_of(version, past => this.losers(past));
  }
  losers(ws) {
    return ws.conflicts().flatMap(({ entity, board, snapshot: { kind, field, child, values } }) => {
      if (board !== kBoard || child !== undefined) return [];
      const card = plain(entity);
      if (kind === 'deletion' || kind === 'dates') return [{ card, field: kind, value: null }];
      if (kind !== 'value' || !(field in kRegisters)) return [];
      const [name, said = value => value] = kRegisters[field];
      return values.filter(one => !one.winner).map(one => ({ card, field: name, value: said(one.value) }));
    });
  }

  version() {
    return this.ws.version();
  }
  delta(version) {
    return this.ws.since(version);
  }
  merge(bytes) {
    this.ws.merge(bytes);
  }
  save() {
    return this.ws.save();
  }
  trim() {
    return this.ws.save({ history: false });
  }
  static load(bytes, actor, textDesc) {
    return new this(actor, textDesc, bytes);
  }

  shown(card) {
    return {
      title: card.title,
      desc: card.description,
      start: milliseconds(card.start),
      due: milliseconds(card.due),
      arch: card.archived,
      labels: card.labels.map(plain).sort(),
      asg: card.assignees.map(plain).sort(),
      chk: card.checklists.flatMap(list => list.items.map(item => ({ id: item.id, text: item.text, done: item.done }))),
      msgs: card.comments.map(c => ({ id: c.id, by: +plain(c.author).slice(6), t: c.atMs, text: c.text })),
    };
  }

  // Plain objects as the package gives them.
  read(c) {
    return this.board.find(hex(c));
  }
  readAll() {
    return { lists: this.board.lists(), cards: this.board.cards() };
  }

  // In the trace's form.
  card(c) {
    const card = this.board.find(hex(c));
    return card && this.shown(card);
  }

  state(board = this.board) {
    const cards = {};
    const lists = board.lists().map(list => ({ id: plain(list.id), name: list.title, cards: list.cards.map(plain) }));
    const all = board.cards().map(card => [plain(card.id), card]);
    all.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    for (const [id, card] of all) cards[id] = this.shown(card);
    return { lists, cards };
  }

  conflicts(c) {
    return this.board.find(hex(c))?.conflicts ?? [];
  }
  setActor() {}
  free() {
    this.ws.dispose();
  }
}
