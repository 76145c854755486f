// SPDX-License-Identifier: Apache-2.0
// The calendar page of the Google stand-in. Times are shown and edited on the calendar's own wall clock; inside this
// page a wall time is a number of minutes since 1970 read off that clock, so no zone arithmetic happens here.

const kMinutesPerDay = 1440;
const kHourPixels = 44;
const kSnapMinutes = 15;
const kEventColors = {
  1: '#a4bdfc', 2: '#7ae7bf', 3: '#dbadff', 4: '#ff887c', 5: '#fbd75b', 6: '#ffb878',
  7: '#46d6db', 8: '#e1e1e1', 9: '#5484ed', 10: '#51b749', 11: '#dc2127',
};
const kColorNames = {
  1: 'Lavender', 2: 'Sage', 3: 'Grape', 4: 'Flamingo', 5: 'Banana', 6: 'Tangerine',
  7: 'Peacock', 8: 'Graphite', 9: 'Blueberry', 10: 'Basil', 11: 'Tomato',
};

const element = (id) => document.getElementById(id);
const address = new URL(location.href).searchParams;
const state = {
  people: [], calendars: [], events: [],
  person: address.get('person') ?? '', calendar: address.get('calendar') ?? '',
  is_calendar_chosen: address.has('calendar'),
  view: address.get('view') === 'month' ? 'month' : 'week',
  day: address.has('date') ? day_of(address.get('date')) : null,
  edited: null, seq: 0, drag: null,
};

// Wall time.
function day_of(date) { return Math.floor(Date.parse(date + 'T00:00:00Z') / 60000 / kMinutesPerDay); }
function date_of(day) { return new Date(day * kMinutesPerDay * 60000).toISOString().slice(0, 10); }
function minutes_of(wall) { return Math.floor(Date.parse(wall.slice(0, 19) + 'Z') / 60000); }
function wall_of(minutes) { return new Date(minutes * 60000).toISOString().slice(0, 19); }
function time_text(minutes) { return wall_of(minutes).slice(11, 16); }
function monday_of(day) { return day - ((day + 3) % 7); }
function month_name(day, options) {
  return new Date(day * kMinutesPerDay * 60000).toLocaleDateString('en', { timeZone: 'UTC', ...options });
}
function now_wall() {
  const zone = current_calendar()?.timeZone ?? 'UTC';
  const parts = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(new Date());
  return minutes_of(parts.replace(' ', 'T'));
}

async function ask(path, options = {}) {
  const answer = await fetch('/control/' + path, {
    ...options,
    headers: options.body ? { 'content-type': 'application/json' } : {},
    body: options.body ? JSON.stringify(options.body) : undefined,
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error?.message ?? body.error ?? answer.statusText);
  return body;
}

function show_notice(text) {
  const notice = element('notice');
  notice.textContent = text;
  notice.hidden = false;
  clearTimeout(show_notice.timer);
  show_notice.timer = setTimeout(() => { notice.hidden = true; }, 5000);
}

function current_calendar() { return state.calendars.find((one) => one.id === state.calendar); }
function calendar_path() {
  return `people/${encodeURIComponent(state.person)}/calendars/${encodeURIComponent(state.calendar)}`;
}

function visible_days() {
  if (state.view === 'week') return { first: monday_of(state.day), count: 7 };
  const month_start = day_of(date_of(state.day).slice(0, 8) + '01');
  const first = monday_of(month_start);
  const next_month = day_of(date_of(month_start + 31).slice(0, 8) + '01');
  return { first, count: Math.ceil((next_month - first) / 7) * 7 };
}

// Loading.
async function load_people() {
  state.people = (await ask('people')).people;
  if (!state.people.some((one) => one.mail === state.person)) state.person = state.people[0]?.mail ?? '';
  fill_select('person', state.people.map((one) => [one.mail, `${one.name} (${one.mail})`]), state.person);
}

async function load_calendars() {
  state.calendars = (await ask(`people/${encodeURIComponent(state.person)}/calendars`)).calendars;
  const made_by_app = state.calendars.find((one) => one.madeByApp);
  const is_known = state.calendars.some((one) => one.id === state.calendar);
  if (!is_known || (!state.is_calendar_chosen && made_by_app)) {
    state.calendar = (made_by_app ?? state.calendars.find((one) => one.primary) ?? state.calendars[0])?.id ?? '';
  }
  fill_select('calendar', state.calendars.map((one) => [one.id, one.summary || one.id]), state.calendar);
}

async function load_events() {
  if (!state.calendar) { state.events = []; return; }
  const { first, count } = visible_days();
  const window = new URLSearchParams({ timeMin: date_of(first - 1) + 'T00:00:00Z', timeMax: date_of(first + count + 1) + 'T00:00:00Z' });
  const { events } = await ask(`${calendar_path()}/events?${window}`);
  state.events = events.map(to_view).sort((a, b) => a.start - b.start || b.end - a.end || (a.id < b.id ? -1 : 1));
}

function to_view(event) {
  const is_all_day = Boolean(event.start.date);
  return {
    id: event.id, event, is_all_day,
    start: is_all_day ? day_of(event.start.date) * kMinutesPerDay : minutes_of(event.start.dateTime),
    end: is_all_day ? day_of(event.end.date) * kMinutesPerDay : minutes_of(event.end.dateTime),
    title: event.summary ?? '', color: kEventColors[event.colorId] ?? current_calendar()?.color ?? '#5484ed',
  };
}

function fill_select(id, options, chosen) {
  const select = element(id);
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value, value === chosen, value === chosen)));
}

async function refresh({ calendars = false } = {}) {
  try {
    if (calendars) await load_calendars();
    if (state.day === null) state.day = Math.floor(now_wall() / kMinutesPerDay);
    await load_events();
    if (!state.drag) render();
  } catch (problem) {
    show_notice(problem.message);
  }
}

// Drawing.
function make(tag, classes, text) {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  if (text !== undefined) node.textContent = text;
  return node;
}

function event_node(view, { is_cut }) {
  const node = make('div', `event${is_cut ? ' is-cut' : ''}${view.title ? '' : ' is-untitled'}${is_dark(view.color) ? ' is-dark' : ''}`);
  node.style.setProperty('--event', view.color);
  node.tabIndex = 0;
  Object.assign(node.dataset, {
    eventId: view.id, summary: view.title, allDay: String(view.is_all_day),
    start: view.is_all_day ? date_of(view.start / kMinutesPerDay) : wall_of(view.start),
    end: view.is_all_day ? date_of(view.end / kMinutesPerDay) : wall_of(view.end),
    colorId: view.event.colorId ?? '',
  });
  node.title = `${view.title || '(No title)'}${view.event.location ? '\n' + view.event.location : ''}`;
  if (!view.is_all_day) node.append(make('span', 'time', time_text(view.start) + ' '));
  node.append(make('span', 'text', view.title || '(No title)'));
  node.addEventListener('pointerdown', (down) => start_drag(down, view, node));
  node.addEventListener('keydown', (key) => { if (key.key === 'Enter') open_editor(view); });
  return node;
}

function is_dark(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return red * 0.3 + green * 0.59 + blue * 0.11 < 135;
}

// Overlapping events share a day's width: each gets the first free lane of its cluster.
function place_lanes(views) {
  const placed = [];
  let cluster = [], cluster_end = -Infinity;
  const close = () => {
    const lanes = Math.max(0, ...cluster.map((one) => one.lane + 1));
    for (const one of cluster) placed.push({ ...one, lanes });
    cluster = [];
  };
  for (const view of views) {
    if (view.start >= cluster_end) { close(); cluster_end = -Infinity; }
    const taken = new Set(cluster.filter((one) => one.view.end > view.start).map((one) => one.lane));
    let lane = 0;
    while (taken.has(lane)) lane += 1;
    cluster.push({ view, lane });
    cluster_end = Math.max(cluster_end, view.end);
  }
  close();
  return placed;
}

function render_week() {
  const { first } = visible_days();
  const today = Math.floor(now_wall() / kMinutesPerDay);
  const head = make('div', 'week-head');
  head.append(make('div', 'gutter'));
  const all_day = make('div', 'all-day-row');
  all_day.append(make('div', 'gutter', 'all day'));
  const hours = make('div', 'hours');
  hours.id = 'hours';
  const grid = make('div', 'grid');
  const gutter = make('div', 'gutter-hours');
  for (let hour = 0; hour < 24; hour += 1) gutter.append(make('span', '', `${String(hour).padStart(2, '0')}:00`));
  grid.append(gutter);
  for (let day = first; day < first + 7; day += 1) {
    const name = make('div', `day-name${day === today ? ' is-today' : ''}`, month_name(day, { weekday: 'short' }));
    name.append(make('b', '', String(Number(date_of(day).slice(8)))));
    head.append(name);

    const cell = make('div', 'all-day-cell');
    cell.dataset.date = date_of(day);
    cell.dataset.slot = 'all-day';
    const starts = day * kMinutesPerDay, ends = starts + kMinutesPerDay;
    for (const view of state.events.filter((one) => one.is_all_day && one.start < ends && one.end > starts)) {
      cell.append(event_node(view, { is_cut: true }));
    }
    cell.addEventListener('dblclick', () => open_editor(new_view(starts, ends, true)));
    all_day.append(cell);

    const column = make('div', 'day-column');
    column.dataset.date = date_of(day);
    column.dataset.slot = 'timed';
    const timed = state.events.filter((one) => !one.is_all_day && one.start < ends && Math.max(one.end, one.start + 1) > starts);
    for (const { view, lane, lanes } of place_lanes(timed)) {
      const node = event_node(view, { is_cut: false });
      const from = Math.max(view.start, starts), to = Math.min(Math.max(view.end, view.start + 20), ends);
      node.style.top = `${(from - starts) / 60 * kHourPixels}px`;
      node.style.height = `${Math.max(18, (to - from) / 60 * kHourPixels - 2)}px`;
      node.style.left = `${lane / lanes * 100}%`;
      node.style.width = `calc(${100 / lanes}% - 4px)`;
      const edge = make('div', 'resize');
      edge.addEventListener('pointerdown', (down) => { down.stopPropagation(); start_resize(down, view, node); });
      node.append(edge);
      column.append(node);
    }
    column.addEventListener('dblclick', (click) => {
      if (click.target !== column) return;
      const minutes = snap((click.clientY - column.getBoundingClientRect().top) / kHourPixels * 60 - 15);
      open_editor(new_view(starts + minutes, starts + minutes + 60, false));
    });
    if (day === today) {
      const line = make('div', 'now-line');
      line.style.top = `${(now_wall() - starts) / 60 * kHourPixels}px`;
      column.append(line);
    }
    grid.append(column);
  }
  hours.append(grid);
  const scrolled = element('hours')?.scrollTop ?? kHourPixels * 7.5;
  element('view').replaceChildren(head, all_day, hours);
  hours.scrollTop = scrolled;
  // The day names must stand over the columns whatever the scrollbar takes.
  element('view').style.setProperty('--scrollbar', `${hours.offsetWidth - hours.clientWidth}px`);
}

function render_month() {
  const { first, count } = visible_days();
  const today = Math.floor(now_wall() / kMinutesPerDay);
  const month = make('div', 'month');
  for (let day = first; day < first + 7; day += 1) month.append(make('div', 'day-name', month_name(day, { weekday: 'short' })));
  for (let day = first; day < first + count; day += 1) {
    const is_outside = date_of(day).slice(0, 7) !== date_of(state.day).slice(0, 7);
    const cell = make('div', `month-cell${is_outside ? ' is-outside' : ''}${day === today ? ' is-today' : ''}`);
    cell.dataset.date = date_of(day);
    cell.dataset.slot = 'month';
    cell.append(make('span', 'date', String(Number(date_of(day).slice(8)))));
    const starts = day * kMinutesPerDay, ends = starts + kMinutesPerDay;
    const views = state.events.filter((one) => one.start < ends && Math.max(one.end, one.start + 1) > starts);
    views.sort((a, b) => Number(b.is_all_day) - Number(a.is_all_day) || a.start - b.start);
    for (const view of views) cell.append(event_node(view, { is_cut: true }));
    cell.addEventListener('dblclick', (click) => {
      if (!click.target.closest('.event')) open_editor(new_view(starts, ends, true));
    });
    month.append(cell);
  }
  element('view').replaceChildren(month);
}

function render() {
  const { first, count } = visible_days();
  element('view-week').setAttribute('aria-pressed', String(state.view === 'week'));
  element('view-month').setAttribute('aria-pressed', String(state.view === 'month'));
  element('logo-day').textContent = String(new Date(now_wall() * 60000).getUTCDate());
  element('range-title').textContent = state.view === 'month'
    ? month_name(state.day, { month: 'long', year: 'numeric' })
    : `${month_name(first, { day: 'numeric', month: 'short' })} – ${month_name(first + count - 1, { day: 'numeric', month: 'short', year: 'numeric' })}`;
  if (state.view === 'week') render_week(); else render_month();
}

// Moving and resizing.
function snap(minutes) { return Math.max(0, Math.round(minutes / kSnapMinutes) * kSnapMinutes); }

function slot_under(x, y) { return document.elementFromPoint(x, y)?.closest('[data-slot]') ?? null; }

function follow_pointer(down, { on_move, on_drop, on_click }) {
  if (down.button !== 0) return;
  down.preventDefault();
  let is_moving = false;
  const move = (event) => {
    if (!is_moving && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 4) return;
    is_moving = true;
    state.drag = true;
    on_move(event);
  };
  const stop = async (event) => {
    window.removeEventListener('pointermove', move);
    window.removeEventListener('pointerup', stop);
    window.removeEventListener('pointercancel', stop);
    state.drag = null;
    if (!is_moving) { on_click?.(); return; }
    if (event.type === 'pointercancel') { render(); return; }
    try { await on_drop(event); } catch (problem) { show_notice(problem.message); }
    await refresh();
  };
  window.addEventListener('pointermove', move);
  window.addEventListener('pointerup', stop);
  window.addEventListener('pointercancel', stop);
}

function start_drag(down, view, node) {
  const grabbed_day_offset = grabbed_day(down, view);
  const box = node.getBoundingClientRect();
  const grab_minutes = (down.clientY - box.top) / kHourPixels * 60;
  const mark = (slot) => {
    document.querySelectorAll('.is-target').forEach((one) => one.classList.remove('is-target'));
    slot?.classList.add('is-target');
  };
  follow_pointer(down, {
    on_click: () => open_editor(view),
    on_move: (event) => {
      node.classList.add('is-dragged');
      node.style.transform = `translate(${event.clientX - down.clientX}px, ${event.clientY - down.clientY}px)`;
      mark(slot_under(event.clientX, event.clientY));
    },
    on_drop: async (event) => {
      const slot = slot_under(event.clientX, event.clientY);
      mark(null);
      if (!slot) return;
      const day = day_of(slot.dataset.date);
      const length = view.end - view.start;
      if (slot.dataset.slot === 'timed') {
        const top = slot.getBoundingClientRect().top;
        const offset = view.is_all_day ? 0 : grab_minutes + (Math.max(0, day_start(view, grabbed_day_offset) - view.start));
        const start = day * kMinutesPerDay + Math.round(((event.clientY - top) / kHourPixels * 60 - offset) / kSnapMinutes) * kSnapMinutes;
        await save_times(view, start, start + (view.is_all_day ? 60 : length), false);
      } else if (slot.dataset.slot === 'all-day') {
        const start = (day - (view.is_all_day ? grabbed_day_offset : 0)) * kMinutesPerDay;
        await save_times(view, start, start + (view.is_all_day ? length : kMinutesPerDay), true);
      } else {
        const old_day = Math.floor(view.start / kMinutesPerDay) + grabbed_day_offset;
        const shift = (day - old_day) * kMinutesPerDay;
        await save_times(view, view.start + shift, view.end + shift, view.is_all_day);
      }
    },
  });
}

// Which of its days a long event was taken hold of.
function grabbed_day(down, view) {
  const date = down.target.closest('[data-slot]')?.dataset.date;
  return date ? Math.max(0, day_of(date) - Math.floor(view.start / kMinutesPerDay)) : 0;
}
function day_start(view, day_offset) {
  return day_offset === 0 ? view.start : (Math.floor(view.start / kMinutesPerDay) + day_offset) * kMinutesPerDay;
}

function start_resize(down, view, node) {
  const column = node.closest('.day-column');
  const day = day_of(column.dataset.date) * kMinutesPerDay;
  const end_at = (event) => Math.max(view.start + kSnapMinutes, day + snap((event.clientY - column.getBoundingClientRect().top) / kHourPixels * 60));
  follow_pointer(down, {
    on_move: (event) => { node.style.height = `${(end_at(event) - Math.max(view.start, day)) / 60 * kHourPixels}px`; },
    on_drop: (event) => save_times(view, view.start, end_at(event), false),
  });
}

// A patch names what goes away with null: a date and a time of day exclude each other.
function times_body(start, end, is_all_day) {
  const zone = current_calendar().timeZone;
  const one = (minutes) => is_all_day
    ? { date: date_of(Math.floor(minutes / kMinutesPerDay)), dateTime: null, timeZone: null }
    : { dateTime: wall_of(minutes), timeZone: zone, date: null };
  return { start: one(start), end: one(end) };
}

function save_times(view, start, end, is_all_day) {
  return patch_event(view.id, times_body(start, end, is_all_day));
}

function patch_event(id, body) {
  return ask(`${calendar_path()}/events/${encodeURIComponent(id)}`, { method: 'PATCH', body });
}

// Editing.
function new_view(start, end, is_all_day) {
  return { id: null, event: {}, is_all_day, start, end, title: '' };
}

function open_editor(view) {
  state.edited = view;
  const last_day = view.is_all_day ? view.end / kMinutesPerDay - 1 : Math.floor(view.end / kMinutesPerDay);
  element('editor-title').textContent = view.id ? 'Edit event' : 'New event';
  element('event-summary').value = view.event.summary ?? '';
  element('event-all-day').checked = view.is_all_day;
  element('event-start-date').value = date_of(Math.floor(view.start / kMinutesPerDay));
  element('event-end-date').value = date_of(last_day);
  element('event-start-time').value = view.is_all_day ? '09:00' : time_text(view.start);
  element('event-end-time').value = view.is_all_day ? '10:00' : time_text(view.end);
  element('event-location').value = view.event.location ?? '';
  element('event-description').value = view.event.description ?? '';
  const color = document.querySelector(`#event-color input[value="${view.event.colorId ?? ''}"]`);
  if (color) color.checked = true;
  element('event-series').hidden = !view.event.recurringEventId;
  element('event-delete').hidden = !view.id;
  show_times();
  element('editor').dataset.editingId = view.id ?? '';
  element('editor').showModal();
  element('event-summary').focus();
}

function show_times() {
  const is_all_day = element('event-all-day').checked;
  document.querySelectorAll('#editor .timed').forEach((one) => { one.hidden = is_all_day; one.style.display = is_all_day ? 'none' : ''; });
}

async function save_editor() {
  const view = state.edited;
  const is_all_day = element('event-all-day').checked;
  const first = day_of(element('event-start-date').value) * kMinutesPerDay;
  const last = day_of(element('event-end-date').value) * kMinutesPerDay;
  const of_day = (id) => { const [hour, minute] = element(id).value.split(':').map(Number); return hour * 60 + minute; };
  const start = is_all_day ? first : first + of_day('event-start-time');
  const end = is_all_day ? Math.max(first, last) + kMinutesPerDay : last + of_day('event-end-time');
  const text = (id) => element(id).value || null;
  const color = document.querySelector('#event-color input:checked')?.value || null;
  const body = { summary: text('event-summary'), location: text('event-location'), description: text('event-description'), colorId: color };
  const is_moved = !view.id || start !== view.start || end !== view.end || is_all_day !== view.is_all_day;
  if (is_moved) Object.assign(body, times_body(start, end, is_all_day));
  if (view.id) {
    await patch_event(view.id, body);
  } else {
    await ask(`${calendar_path()}/events`, { method: 'POST', body: without_nulls(body) });
  }
}

function without_nulls(value) {
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null).map(([key, one]) => [key, without_nulls(one)]));
}

async function run(action) {
  try { await action(); } catch (problem) { show_notice(problem.message); }
  await refresh();
}

// Wiring.
function step(direction) {
  if (state.view === 'week') {
    state.day += 7 * direction;
  } else {
    const start = day_of(date_of(state.day).slice(0, 8) + '01');
    state.day = direction > 0 ? day_of(date_of(start + 31).slice(0, 8) + '01') : day_of(date_of(start - 1).slice(0, 8) + '01');
  }
  return refresh();
}

function set_view(view) { state.view = view; return refresh(); }

element('previous').addEventListener('click', () => step(-1));
element('next').addEventListener('click', () => step(1));
element('today').addEventListener('click', () => { state.day = Math.floor(now_wall() / kMinutesPerDay); refresh(); });
element('view-week').addEventListener('click', () => set_view('week'));
element('view-month').addEventListener('click', () => set_view('month'));
element('person').addEventListener('change', (event) => {
  state.person = event.target.value;
  state.is_calendar_chosen = false;
  state.calendar = '';
  refresh({ calendars: true });
});
element('calendar').addEventListener('change', (event) => {
  state.calendar = event.target.value;
  state.is_calendar_chosen = true;
  refresh();
});
element('add-calendar').addEventListener('click', () => {
  const summary = prompt('Name of the new calendar');
  if (!summary) return;
  run(async () => {
    const made = await ask(`people/${encodeURIComponent(state.person)}/calendars`, { method: 'POST', body: { summary, timeZone: current_calendar()?.timeZone } });
    state.calendar = made.id;
    state.is_calendar_chosen = true;
    await load_calendars();
  });
});
element('add-event').addEventListener('click', () => {
  const { first, count } = visible_days();
  const today = Math.floor(now_wall() / kMinutesPerDay);
  const day = today >= first && today < first + count ? today : Math.max(first, state.day);
  open_editor(new_view(day * kMinutesPerDay + 9 * 60, day * kMinutesPerDay + 10 * 60, false));
});
element('event-all-day').addEventListener('change', show_times);
element('event-cancel').addEventListener('click', () => element('editor').close());
element('editor-form').addEventListener('submit', () => run(save_editor));
element('event-delete').addEventListener('click', () => {
  const { id } = state.edited;
  element('editor').close();
  run(() => ask(`${calendar_path()}/events/${encodeURIComponent(id)}`, { method: 'DELETE' }));
});

function fill_colors() {
  const choices = [['', 'Calendar colour', '#ffffff'], ...Object.entries(kEventColors).map(([id, color]) => [id, kColorNames[id], color])];
  for (const [id, name, color] of choices) {
    const label = make('label');
    label.title = name;
    const input = make('input');
    Object.assign(input, { type: 'radio', name: 'color', value: id });
    input.setAttribute('aria-label', name);
    const swatch = make('span', 'swatch');
    swatch.style.setProperty('--event', color);
    label.append(input, swatch);
    element('event-color').append(label);
  }
}

// Live: wait for the next committed change, then draw again.
async function follow_changes() {
  state.seq = (await ask('changes?after=1000000000')).last;
  for (;;) {
    try {
      const { changes, last } = await ask(`changes?after=${state.seq}&wait_ms=20000`);
      element('live').classList.remove('is-off');
      state.seq = last;
      element('live').dataset.seq = String(last);
      const is_new_calendar = changes.some((one) => !state.calendars.some((known) => known.id === one.calendar));
      if (is_new_calendar || changes.length === 0) await load_calendars();
      if (changes.length > 0 || is_new_calendar) await refresh();
    } catch {
      element('live').classList.add('is-off');
      await new Promise((resume) => { setTimeout(resume, 1000); });
    }
  }
}

fill_colors();
await load_people();
await refresh({ calendars: true });
document.body.dataset.ready = 'true';
follow_changes();
