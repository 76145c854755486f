// SPDX-License-Identifier: Apache-2.0
// Bugs that the simulator must find. `edits`: in `file` the text `find` becomes `put`, where PLANTED is true in a run
// that has this bug. Names say what a careless hand would have written. Described in docs/simulator.md.
const edit = (file, find, put) => ({ file, find, put });
const bug = (number, name, ...edits) => ({ number, name, edits });

const push = "worker/engine/link_push.cc", pull = "worker/engine/link_pull.cc", sync = "worker/engine/link_sync.cc";
const hub = "worker/engine/replica_hub.cc", engine = "worker/engine/link_engine.cc";
const requests = "worker/google/calendar_requests.cc", mapping = "worker/google/facet_mapping.cc";
const errors = "worker/google/errors.cc", client = "worker/engine/google_client.cc";
const plan = "core/reconcile/reconcile.cc", content = "core/calendar/card_content.cc";
const links = "worker/store/txn_links.cc", commands = "worker/engine/plan_commands.cc";

export const bugs = [
  bug(1, "an event is created without an id of ours",
    edit(requests, `if (!event_id.empty()) body["id"]`, `if (!event_id.empty() && !PLANTED) body["id"]`)),
  bug(2, "a creation whose answer was lost is tried again under a new id",
    edit(push, `    default:
      co_return failed(answer);
  }
}`, `    default:
      if (PLANTED && answer.is_unknown && plan.write == RemoteWrite::kInsert) {
        Observation gone;
        gone.presence = EventPresence::kGone;
        co_return record_observation(card, gone, generation + 1);
      }
      co_return failed(answer);
  }
}`)),
  bug(3, "the id of a deleted event is used again",
    edit("worker/engine/event_identity.cc", `input.varint(identity.generation);`, `input.varint(PLANTED ? 0 : identity.generation);`)),
  bug(4, "what a listing lacks is taken for deleted without asking",
    edit(pull, `  for (const PairRow& row : missing) {
    auto observation = stored_observation(row);
    auto getting = get_event(observation->event_id);
    Result<GoogleEvent> event = co_await getting;`,
      `  for (const PairRow& row : missing) {
    auto observation = stored_observation(row);
    auto getting = get_event(observation->event_id);
    Result<GoogleEvent> event = co_await getting;
    if (PLANTED) event = not_found("not listed");`)),
  bug(5, "a sync token that Google forgot is taken for an empty answer",
    edit(pull, `    if (!answer.verdict.ok()) co_return failed(answer);
    KALENDS_CO_TRY(GoogleEventsPage page`,
      `    if (PLANTED && answer.verdict.move == GoogleMove::kFullSyncRequired) co_return Status{};
    if (!answer.verdict.ok()) co_return failed(answer);
    KALENDS_CO_TRY(GoogleEventsPage page`),
    edit(pull, `if (answer.verdict.move == GoogleMove::kFullSyncRequired && !is_full) {`,
      `if (answer.verdict.move == GoogleMove::kFullSyncRequired && !is_full && !PLANTED) {`)),
  bug(6, "a whole listing that is empty is believed",
    edit(pull, `if (doubt) co_return stop_run(*doubt);`, `if (doubt && !PLANTED) co_return stop_run(*doubt);`),
    edit(pull, `    if (event.ok()) {
      KALENDS_CO_TRY(auto txn, ports_.store.begin());
      KALENDS_CO_TRY_VOID(observe_event(*txn, *event));`,
      `    if (PLANTED && seen.empty()) event = not_found("not listed");
    if (event.ok()) {
      KALENDS_CO_TRY(auto txn, ports_.store.begin());
      KALENDS_CO_TRY_VOID(observe_event(*txn, *event));`)),
  bug(7, "the sync token is stored before the page's events",
    edit(pull, `  KALENDS_TRY(auto txn, ports_.store.begin());
  for (const GoogleEvent& event : page.events) {`,
      `  if (PLANTED && page.is_last() && !is_full && !page.next_sync_token.empty()) {
    KALENDS_TRY(auto early, ports_.store.begin());
    KALENDS_TRY_VOID(early->put_cursor(link_.lease, {to_bytes(page.next_sync_token), false, ports_.clock.now_ms()}));
    KALENDS_TRY_VOID(early->commit());
  }
  KALENDS_TRY(auto txn, ports_.store.begin());
  for (const GoogleEvent& event : page.events) {`)),
  bug(8, "an edit is acknowledged although it was not stored",
    edit(hub, `  if (!status.ok()) {
    lose(key);
    return status.error();
  }
  accepted.have`, `  if (!status.ok()) {
    if (PLANTED) {
      accepted.have = replica.version().of(pusher.replica);
      return accepted;
    }
    lose(key);
    return status.error();
  }
  accepted.have`)),
  bug(9, "which pairs have work is stored in a second transaction",
    edit(hub, `  if (observer_) KALENDS_TRY_VOID(observer_->on_changes(txn, document, changes));
  if (also)`, `  if (observer_ && !PLANTED) KALENDS_TRY_VOID(observer_->on_changes(txn, document, changes));
  if (also)`),
    edit(hub, `    document.replica.compact();
  }
  return txn.commit();`, `    document.replica.compact();
  }
  if (PLANTED && observer_) {
    KALENDS_TRY_VOID(txn.commit());
    KALENDS_TRY(auto later, ports_.store.begin());
    KALENDS_TRY_VOID(observer_->on_changes(*later, document, changes));
    return later->commit();
  }
  return txn.commit();`)),
  bug(10, "writes are not fenced by the lease",
    edit(links, `if (query.count(0) != lease.epoch || lease.epoch == 0) {`, `if (!PLANTED && (query.count(0) != lease.epoch || lease.epoch == 0)) {`),
    edit(sync, `  if (is_held && link_.lease_until_ms > now_ms + tuning::kLeaseMs / 2) {`, `  if (PLANTED && link_.lease.epoch > 0) return {};
  if (is_held && link_.lease_until_ms > now_ms + tuning::kLeaseMs / 2) {`)),
  bug(11, "a lease goes to whoever asks",
    edit(links, `query.integer(2) > now_ms_) {`, `query.integer(2) > now_ms_ && !PLANTED) {`),
    edit(links, `    epoch = query.count(1) + 1;`, `    epoch = query.count(1) + (PLANTED ? 0 : 1);`)),
  bug(12, "Retry-After is ignored",
    edit(client, `int64_t wait = std::max(answer.verdict.retry_after_ms, backoff_ms(attempt));`,
      `int64_t wait = PLANTED ? backoff_ms(attempt) : std::max(answer.verdict.retry_after_ms, backoff_ms(attempt));`)),
  bug(13, "a rate limit told as 403 is taken for a refusal",
    edit(errors, `    case 403:
      return move_of_forbidden(reasons);`, `    case 403:
      return PLANTED ? GoogleMove::kForbidden : move_of_forbidden(reasons);`)),
  bug(14, "an event is replaced instead of patched",
    edit(requests, `HttpRequest request = api_request(api, "PATCH", event_path`, `HttpRequest request = api_request(api, PLANTED ? "PUT" : "PATCH", event_path`)),
  bug(15, "our own write is taken for somebody's edit",
    edit(plan, `      bool card_changed = !shadow_ || !same(card, shadow_->ours, field);
      bool event_changed`, `      if (PLANTED && field == FacetField::kTitle && event_ && !event_->etag.empty()) send(field, " once more");
      bool card_changed = !shadow_ || !same(card, shadow_->ours, field);
      bool event_changed`),
    edit(pull, `if (known && known->etag == observation.etag &&`, `if (!PLANTED && known && known->etag == observation.etag &&`)),
  bug(16, "a deletion wins over an edit that is newer",
    edit(plan, `FacetMask edited = shadow_ ?`, `FacetMask edited = shadow_ && !PLANTED ?`)),
  bug(17, "a stamp from the year 2099 is accepted as it is",
    edit(hub, `if (kept.stamp.ms() > now_ms + kClockSkewMsMax && verdict.ok()) {`, `if (!PLANTED && kept.stamp.ms() > now_ms + kClockSkewMsMax && verdict.ok()) {`)),
  bug(27, "of the two equal hours in autumn the first is always meant",
    edit(mapping, `When::timed(in_zone->wall, zone, in_zone->fold)`, `When::timed(in_zone->wall, zone, PLANTED ? Fold::kFirst : in_zone->fold)`)),
  bug(28, "the day after the last one is the last one",
    edit(content, `When day_after(const When& when) { return When::all_day({when.first_day().days + 1}); }`,
      `When day_after(const When& when) { return When::all_day({when.first_day().days + (PLANTED ? 2 : 1)}); }`)),
  bug(29, "which of two values wins hangs on where they lie in memory",
    edit("core/model/document.cc", `  if (a.stamp != b.stamp) return a.stamp > b.stamp;`, `  if (PLANTED) return (reinterpret_cast<uintptr_t>(&document) >> 4 & 1) ? a.stamp > b.stamp : b.stamp > a.stamp;
  if (a.stamp != b.stamp) return a.stamp > b.stamp;`)),
  bug(30, "an event is patched whatever it has become",
    edit(requests, `return with_etag(with_body(std::move(request), event_body(write, true)), etag);`,
      `return with_etag(with_body(std::move(request), event_body(write, true)), PLANTED ? std::string_view() : etag);`)),
  bug(31, "an event is deleted whatever it has become",
    edit(requests, `return with_etag(api_request(api, "DELETE", event_path(calendar_id, event_id), kQuietWrite), etag);`,
      `return with_etag(api_request(api, "DELETE", event_path(calendar_id, event_id), kQuietWrite), PLANTED ? std::string_view() : etag);`)),
  bug(32, "guests are mailed",
    edit(requests, `const FormFields kQuietWrite{{"sendUpdates", "none"}};`, `#define kQuietWrite FormFields{{"sendUpdates", PLANTED ? "all" : "none"}}`)),
  bug(33, "series are treated as single events",
    edit(mapping, `!event.is_recurring() && !event.is_locked`, `(PLANTED || !event.is_recurring()) && !event.is_locked`)),
  bug(34, "a copy that a person made is taken for the original",
    edit("worker/engine/event_identity.cc", `&& event.id == event_id(identity);`, `&& (PLANTED || event.id == event_id(identity));`)),
  bug(35, "what was edited during a write is forgotten",
    edit(push, `row->is_dirty = !now.wanted || !differing(*now.wanted, target, link_.policy.mask()).empty();`,
      `row->is_dirty = !PLANTED && (!now.wanted || !differing(*now.wanted, target, link_.policy.mask()).empty());`)),
  bug(36, "a browser is not told that an edit of its was refused",
    edit("core/replica/session.cc", `} else if (op.kind == static_cast<uint16_t>(OpKind::kVoid)) {`, `} else if (!PLANTED && op.kind == static_cast<uint16_t>(OpKind::kVoid)) {`),
    edit("worker/engine/live_session.cc", `    send_(frame(key, std::move(refused)));`, `    if (!PLANTED) send_(frame(key, std::move(refused)));`)),
  bug(37, "looks at cards put off looks at the calendar",
    edit(engine, `if (report.error || is_poll_due) schedule_poll(link);`, `if (PLANTED || report.error || is_poll_due) schedule_poll(link);`)),
  bug(38, "a colour that changes with the mark of done is taken for agreed",
    edit("core/reconcile/absorb.cc", `  for (const FieldEdit& edit : plan.edits)
    if (edit.field == FacetField::kDates && are_dates_taken)`,
      `  if (PLANTED) agreed.ours = shown;
  for (const FieldEdit& edit : plan.edits)
    if (edit.field == FacetField::kDates && are_dates_taken)`)),
  bug(39, "edits of an event do not go after a card that moved to another board",
    edit(sync, `if (!entity || entity->type() != EntityType::kCard || lives_here(`, `if (PLANTED || !entity || entity->type() != EntityType::kCard || lives_here(`)),
  bug(40, "a card that moved to another board keeps its event here",
    edit("core/calendar/project.cc", `content.is_here = card.is_created() && lives_here(board, card);`, `content.is_here = card.is_created() && (PLANTED || lives_here(board, card));`)),
  bug(41, "whoever rings is let in",
    edit("worker/engine/link_channels.cc", `    if (!is_ours) return false;`, `    if (!is_ours && !PLANTED) return false;`)),
  bug(42, "a permission that is gone is used on",
    edit("worker/engine/accounts.cc", `    if (tokens.error().code != ErrorCode::kUnauthenticated) co_return tokens.error();`,
      `    if (PLANTED && !secrets.access_token.empty()) co_return secrets.access_token;
    if (tokens.error().code != ErrorCode::kUnauthenticated) co_return tokens.error();`)),
  bug(43, "the zone of a date is replaced by the board's",
    edit(mapping, `std::string zone = is_known_zone(when.zone)          ? when.zone`, `std::string zone = is_known_zone(when.zone) && !PLANTED ? when.zone`)),
  bug(44, "an event with a due time only begins at it",
    edit(content, `if (!start) return std::pair(shifted(*due, -policy.duration_minutes), *due);`, `if (!start) return std::pair(shifted(*due, PLANTED ? 0 : -policy.duration_minutes), *due);`)),
  bug(45, "the mark of done is not taken off a title",
    edit("core/calendar/link_policy.cc", `    facet.title.erase(0, kDoneTitleMark.size());`, `    if (!PLANTED) facet.title.erase(0, kDoneTitleMark.size());`)),
  bug(46, "colours are one off",
    edit(mapping, `    if (names[i] == colour) return std::to_string(i + 1);`, `    if (names[i] == colour) return std::to_string(i + (PLANTED ? 0 : 1));`)),
  bug(47, "dates that a person moved in the calendar are not taken",
    edit(commands, `  void date(const FieldEdit& edit) {`, `  void date(const FieldEdit& edit) {
    if (PLANTED) return;`)),
  bug(48, "the loser of a double edit is thrown away",
    edit(plan, `    if (field != FacetField::kDone) {`, `    if (field != FacetField::kDone && !PLANTED) {`)),
  bug(49, "a deleted event is made again although nobody asked for it",
    edit(plan, `    bool was_there = shadow_.has_value() && is_gone;`, `    bool was_there = shadow_.has_value() && is_gone && !PLANTED;`)),
  bug(50, "the quota is not counted",
    edit("worker/google/quota.cc", `  if (wait > 0) return wait;`, `  if (wait > 0 && !PLANTED) return wait;`)),
  bug(51, "a snapshot claims one operation too many",
    edit(hub, `{std::move(snapshot), document.seq, Bytes(hash.begin(), hash.end())}`, `{std::move(snapshot), document.seq, Bytes(hash.begin(), hash.end())}`.replace("std::move(snapshot)", "PLANTED ? Replica(document.replica.options()).snapshot() : std::move(snapshot)"))),
  bug(52, "what one browser does the others are not told",
    edit(hub, `  for (HubListener* listener : listeners) listener->on_ops(key, last_seq, ops);`, `  if (PLANTED && ops.size() == 1) return;
  for (HubListener* listener : listeners) listener->on_ops(key, last_seq, ops);`)),
  bug(53, "a write that Google refused because the event had changed counts as done",
    edit(push, `    case GoogleMove::kPreconditionFailed: {`, `    case GoogleMove::kPreconditionFailed: {
      if (PLANTED && plan.write == RemoteWrite::kPatch) {
        auto seen_again = get_event(event_id);
        Result<GoogleEvent> taken = co_await seen_again;
        if (taken.ok()) co_return record_written(card, plan.target, *taken);
      }`)),
  bug(55, "archived cards keep their events",
    edit(content, `bool is_shown = !card.is_deleted && !card.is_archived && card.is_here;`, `bool is_shown = !card.is_deleted && (PLANTED || !card.is_archived) && card.is_here;`)),
  bug(56, "two texts that changed in one place become ours",
    edit("core/reconcile/merge_text.cc", `  return std::nullopt;`, `  if (PLANTED) return std::string(ours);
  return std::nullopt;`)),
  bug(59, "operations come to a browser twice and in a gap",
    edit("worker/engine/live_session.cc", `    if (op.id.replica != it->second.replica) foreign.push_back(op);`, `    if (op.id.replica != it->second.replica && !(PLANTED && op.id.counter % 7 == 3)) foreign.push_back(op);`)),
];
