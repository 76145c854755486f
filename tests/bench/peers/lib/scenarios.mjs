// SPDX-License-Identifier: Apache-2.0
// Small concurrent scenarios: what the user sees after the merge. name -> function of a peer's class -> a sentence. Of a peer
// whose adapter has conflicts(card) -> [{ kind, field }] they also tell what stays open; of the others nothing can.
import { generateKeyBetween as between } from 'fractional-indexing';

const T0 = 1735700000000;
const mkBase = P => {
  if ('clock' in P) P.clock = T0;
  const d = new P(0); let t = T0, k = null;
  const op = o => d.txn(() => d.apply({ a: 0, t: t += 1000, ...o }));
  for (const [i, l] of ['L0', 'L1', 'L2'].entries()) op({ o: 'list', l, k: 'a' + i, name: l });
  for (let i = 0; i < 5; i++) op({ o: 'card', c: 'card' + i, l: 'L0', k: (k = between(k, null)), i, p: i ? 'card' + (i - 1) : null, title: 'T' + i, desc: 'base' });
  op({ o: 'lab+', c: 'card1', v: 'old' });
  return d;
};
// runs opsA and opsB on two replicas without contact, then merges both ways; returns the merged state
function run(P, opsA, opsB, { skew = 0, reversed = false } = {}) {
  const base = mkBase(P), img = base.save(), A = P.load(img, 1), B = P.load(img, 2);
  A.startLog?.(); B.startLog?.();
  const vA = A.version(), vB = B.version();
  let tA = T0 + 100000 + (skew > 0 ? 50000 : 0), tB = T0 + 100000 + (skew < 0 ? 50000 : 0);
  const tick = t => { if ('clock' in P) P.clock = t; return t; }; // TinyBase reads a clock instead of taking op times
  for (const o of opsA) A.txn(() => A.apply({ a: 1, t: tick(tA += 1000), ...o }));
  for (const o of opsB) B.txn(() => B.apply({ a: 2, t: tick(tB += 1000), ...o }));
  tick(T0 + 1e6);
  const dA = A.delta(vA), dB = B.delta(vB);
  // in the other order a third replica takes B's operations before A's
  A.merge(dB); B.merge(dA);
  if (reversed) { const C = P.load(img, 3); C.startLog?.(); C.merge(dB); C.merge(dA); const c = JSON.stringify(C.state()); A.third = c; }
  const a = JSON.stringify(A.state()), b = JSON.stringify(B.state());
  const s = JSON.parse(a); s.diverged = a !== b || (A.third !== undefined && A.third !== a); s.B = JSON.parse(b);
  s.open = card => (A.conflicts ? A.conflicts(card) : null);
  // one click of A's on what is open, which B then sees
  s.click = (card, f, v) => { const vA = A.version(); A.txn(() => A.apply({ a: 1, t: tick(T0 + 2e6), o: 'pick', c: card, f, v })); B.merge(A.delta(vA)); return JSON.parse(JSON.stringify([A.state(), B.state()])); };
  return s;
}
const where = (s, c) => s.lists.flatMap(l => l.cards.map((x, i) => [x, l.id, i])).filter(x => x[0] === c).map(x => x[1] + '#' + x[2]);
const dv = s => (s.diverged ? ' DIVERGED' : '');
// ", the loser stays open" when a conflict of the kind is shown; nothing for peers that show none at all
const stays_open = (s, card, kind, field, what) => { const open = s.open(card); return open === null ? '' : open.some(one => one.kind === kind && (!field || one.field === field)) ? `, ${what}` : ', NOTHING OPEN'; };
const one = (s, c) => { const w = where(s, c); return (w.length === 1 ? 'one copy, ' + w[0] : w.length === 0 ? 'LOST' : `DUPLICATED (${w.join(', ')})`) + dv(s); };

// both role assignments (who is actor 1, who is 2), then both "who made more edits before" assignments: an outcome that
// does not depend on ids and clocks is a rule; otherwise ids or clocks decide
const busy = n => Array.from({ length: n }, (_, i) => ({ o: 'title', c: 'card4', v: 'busy' + i }));
const rule = (P, x, y, f) => {
  const out = new Set();
  for (const [nx, ny] of [[0, 0], [4, 0], [0, 4]]) { out.add(f(run(P, [...busy(nx), ...x], [...busy(ny), ...y]))); out.add(f(run(P, [...busy(ny), ...y], [...busy(nx), ...x]))); }
  return out.size === 1 ? [...out][0] : 'id/clock decides: ' + [...out].join(' / ');
};
const runs_of = s => { const o = s.lists[0].cards.filter(c => /^[AB]/.test(c)).join(' '); return (/^(A1 A2 A3 B1 B2 B3|B1 B2 B3 A1 A2 A3)$/.test(o) ? 'blocks kept: ' : 'INTERLEAVED: ') + o + dv(s); };
export const kScenarios = {
  'same card moved to two lists': P => one(run(P, [{ o: 'move', c: 'card2', l: 'L1', k: 'a0', i: 0, p: null }], [{ o: 'move', c: 'card2', l: 'L2', k: 'a0', i: 0, p: null }]), 'card2'),
  'same card moved inside its list (top / bottom)': P => one(run(P, [{ o: 'move', c: 'card2', l: 'L0', k: 'Zz', i: 0, p: null }], [{ o: 'move', c: 'card2', l: 'L0', k: 'a5', i: 4, p: 'card4' }]), 'card2'),
  'move + title edit': P => { const s = run(P, [{ o: 'move', c: 'card2', l: 'L1', k: 'a0', i: 0, p: null }], [{ o: 'title', c: 'card2', v: 'NEW' }]); const w = where(s, 'card2'); return (w.length === 1 && w[0] === 'L1#0' ? 'move kept' : w.length > 1 ? 'DUPLICATED' : w.length ? 'MOVE LOST' : 'CARD LOST') + ', ' + (s.cards.card2?.title === 'NEW' ? 'edit kept' : 'EDIT LOST') + dv(s); },
  'delete vs title edit': P => rule(P, [{ o: 'del', c: 'card2' }], [{ o: 'title', c: 'card2', v: 'NEW' }], s => { const c = s.cards.card2; return (!c ? 'deleted (edit lost)' : c.title === 'NEW' && c.desc ? 'kept whole, with edit' + stays_open(s, 'card2', 'deletion', null, 'deletion stays open') : `ZOMBIE (title ${JSON.stringify(c.title)}, desc ${JSON.stringify(c.desc)}, in ${where(s, 'card2')})`) + dv(s); }),
  'delete vs title edit, then one click on the open deletion': P => { const after = v => { const s = run(P, [{ o: 'del', c: 'card2' }], [{ o: 'title', c: 'card2', v: 'NEW' }]); if (!s.open('card2')?.length) return null; const [a, b] = s.click('card2', 'deletion', v); return JSON.stringify(a) !== JSON.stringify(b) ? 'DIVERGED' : a.cards.card2 ? 'there' : 'gone'; }; const confirmed = after(true), kept = after(false); return confirmed === null ? 'nothing to click on' : `confirmed: ${confirmed}, dismissed: ${kept}`; },
  'delete vs move': P => rule(P, [{ o: 'del', c: 'card2' }], [{ o: 'move', c: 'card2', l: 'L1', k: 'a0', i: 0, p: null }], s => { const c = s.cards.card2, w = where(s, 'card2'); return (!c ? 'deleted' + (w.length ? ', dangling list entry' : '') : c.title === 'T2' ? (s.open('card2') === null ? 'resurrected whole' : 'kept whole' + stays_open(s, 'card2', 'deletion', null, 'deletion stays open')) : `ZOMBIE at ${w} with title ${JSON.stringify(c.title)}`) + dv(s); }),
  'labels: A adds x, B adds y': P => { const s = run(P, [{ o: 'lab+', c: 'card2', v: 'x' }], [{ o: 'lab+', c: 'card2', v: 'y' }]); return (s.cards.card2.labels.join('+') || 'none') + dv(s); },
  'label: A removes, B removes and re-adds': P => rule(P, [{ o: 'lab-', c: 'card1', v: 'old' }], [{ o: 'lab-', c: 'card1', v: 'old' }, { o: 'lab+', c: 'card1', v: 'old' }], s => (s.cards.card1.labels.includes('old') ? 'present (add wins)' : 'absent (remove wins)') + dv(s)),
  'label: A adds x, B adds x and removes it': P => rule(P, [{ o: 'lab+', c: 'card2', v: 'x' }], [{ o: 'lab+', c: 'card2', v: 'x' }, { o: 'lab-', c: 'card2', v: 'x' }], s => (s.cards.card2.labels.includes('x') ? 'present (add wins)' : 'absent (A\'s add lost)') + dv(s)),
  'A inserts A1 A2 A3, B inserts B1 B2 B3 at the top': P => {
    const ins = who => { let lo = null; const hi = 'a0', out = []; for (let i = 0; i < 3; i++) { lo = between(lo, hi); out.push({ o: 'card', c: who + (i + 1), l: 'L0', k: lo, i, p: i ? who + i : null, title: who + (i + 1), desc: '' }); } return out; };
    return runs_of(run(P, ins('A'), ins('B'))); },
  'the same, each from the last card to the first': P => {
    const ins = who => { let hi = 'a0'; const out = []; for (let i = 3; i > 0; i--) { hi = between(null, hi); out.push({ o: 'card', c: who + i, l: 'L0', k: hi, i: 0, p: null, title: who + i, desc: '' }); } return out; };
    return runs_of(run(P, ins('A'), ins('B'))); },
  'A sets start, B sets due': P => { const s = run(P, [{ o: 'start', c: 'card2', v: 10 * 60000 }], [{ o: 'due', c: 'card2', v: 5 * 60000 }]); const c = s.cards.card2; return (c.start === 10 * 60000 && c.due === 5 * 60000 ? (s.open('card2') === null ? 'both kept (start > due possible)' : 'both kept' + stays_open(s, 'card2', 'dates', null, 'start > due flagged')) : `start ${c.start}, due ${c.due}`) + dv(s); },
  'both set due: does the later clock win?': P => { const f = skew => run(P, [{ o: 'due', c: 'card2', v: 111 * 60000 }], [{ o: 'due', c: 'card2', v: 222 * 60000 }], { skew }); const p = f(1), q = f(-1), a = p.cards.card2.due / 60000, b = q.cards.card2.due / 60000; return (a === 111 && b === 222 ? 'yes' + stays_open(p, 'card2', 'value', 'due', 'the loser stays open') : `no (always ${a === b ? 'actor ' + (a === 111 ? 'A' : 'B') : a + '/' + b})`) + dv(p) + dv(q); },
  // A's clock is a minute fast. B sees A's edit, edits with a clock that is right; C, who saw nothing, half a minute later.
  // B's edit knows of one from a minute ahead, so it is the later one, whatever the clocks on the wall said.
  'both set the title, one after seeing a fast clock\'s edit': P => {
    const base = mkBase(P), img = base.save(), [A, B, C] = [1, 2, 3].map(a => { const one = P.load(img, a); one.startLog?.(); return one; });
    const by = (d, a, t, o) => { if ('clock' in P) P.clock = t; d.txn(() => d.apply({ a, t, ...o })); };
    const all = [A, B, C].map(d => d.version());
    by(A, 1, T0 + 160000, { o: 'due', c: 'card2', v: 60000 });
    by(B, 2, T0 + 99000, { o: 'due', c: 'card3', v: 60000 }); // so that B knows what time it is
    B.merge(A.delta(all[0]));
    by(B, 2, T0 + 100000, { o: 'title', c: 'card2', v: 'knows more' });
    by(C, 3, T0 + 130000, { o: 'title', c: 'card2', v: 'later on the wall' });
    const dB = B.delta(all[1]), dC = C.delta(all[2]);
    B.merge(dC); C.merge(dB); A.merge(dB); A.merge(dC);
    const s = JSON.parse(JSON.stringify(B.state())), same = [A, C].every(d => JSON.stringify(d.state()) === JSON.stringify(B.state()));
    s.open = card => (B.conflicts ? B.conflicts(card) : null);
    return `the one that ${s.cards.card2.title === 'knows more' ? 'knows more' : 'is later on the wall, or has the greater id,'} wins` + stays_open(s, 'card2', 'value', 'title', 'the loser stays open') + (same ? '' : ' DIVERGED');
  },
  'both set the title, one clock behind what it has seen': P => { const f = late => run(P, [{ o: 'title', c: 'card2', v: 'early' }], [{ o: 'title', c: 'card2', v: 'seen' }, { o: 'title', c: 'card2', v: 'last', t: T0 + 100500 }], { skew: 0 }); const s = f(); return `${s.cards.card2.title === 'last' ? 'the last edit of its actor wins' : s.cards.card2.title === 'seen' ? 'AN OLDER EDIT OF THE SAME ACTOR WINS' : 'the other actor wins'}` + dv(s); },
  'both move the card, a third copy takes the moves in the other order': P => one(run(P, [{ o: 'move', c: 'card2', l: 'L1', k: 'a0', i: 0, p: null }], [{ o: 'move', c: 'card2', l: 'L2', k: 'a0', i: 0, p: null }], { reversed: true }), 'card2'),
  'label: A removes, B removes and re-adds, both delivery orders': P => { const s = run(P, [{ o: 'lab-', c: 'card1', v: 'old' }], [{ o: 'lab-', c: 'card1', v: 'old' }, { o: 'lab+', c: 'card1', v: 'old' }], { reversed: true }), q = run(P, [{ o: 'lab-', c: 'card1', v: 'old' }, { o: 'lab+', c: 'card1', v: 'old' }], [{ o: 'lab-', c: 'card1', v: 'old' }], { reversed: true }), has = x => x.cards.card1.labels.includes('old'); return (has(s) && has(q) ? 'add wins in both' : has(s) || has(q) ? 'ORDER OR ID DECIDES' : 'remove wins in both') + dv(s) + dv(q); },
};
