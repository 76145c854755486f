// SPDX-License-Identifier: Apache-2.0
#include "core/model/text_sequence.h"

#include <algorithm>

#include "core/base/sort.h"
#include "core/base/text.h"

namespace kalends {
namespace {

constexpr size_t kIndexFrom = 24;  // runs; fewer are searched one by one

// How many of the characters before `offset` have words.
uint32_t worded_before(const TextSequence::Run& run, uint32_t offset) {
  uint32_t count = offset;
  for (uint32_t i = 0; i < run.gap_count && run.gaps[i].offset < offset; ++i)
    count -= std::min(run.gaps[i].length, offset - run.gaps[i].offset);
  return count;
}

// A side of a character as one number that is not 0.
uint64_t place_key(const TextSequence::Run& run) {
  uint64_t key = run.parent.op.packed() * 0x9E3779B97F4A7C15ull + run.parent.offset * uint64_t{2} +
                 (run.side == Side::kAfter ? 1 : 0);
  return key == 0 ? 1 : key;
}

}  // namespace

TextSequence::TextSequence(const TextSequence& other)
    : one_(other.one_), body_(other.body_ ? std::make_unique<Body>(*other.body_) : nullptr) {}

TextSequence& TextSequence::operator=(const TextSequence& other) {
  one_ = other.one_;
  body_ = other.body_ ? std::make_unique<Body>(*other.body_) : nullptr;
  return *this;
}

TextSequence::Body& TextSequence::body() {
  if (body_) return *body_;
  body_ = std::make_unique<Body>();
  if (one_.length > 0) {
    body_->runs.push_back(one_);
    body_->is_placed.push_back(true);
    body_->segments.push_back({0, 0, one_.length, false});
    ++body_->brothers.at(place_key(one_));
    body_->visible = one_.length;
    one_ = {};
  }
  return *body_;
}

void TextSequence::insert(OpRef op, CharRef parent, Side side, std::string_view text, const ReplicaOrder& order) {
  Run run{op, parent, side, code_point_count(text), text, nullptr, 0};
  if (!body_ && one_.length == 0 && parent.op.is_nil()) {
    one_ = run;
    return;
  }
  take(run, order);
}

void TextSequence::insert_gapped(OpRef op, CharRef parent, Side side, std::string_view text, uint32_t length,
                                 std::span<const RefRange> gaps, const ReplicaOrder& order) {
  take({op, parent, side, length, text, gaps.data(), static_cast<uint32_t>(gaps.size())}, order);
  for (const RefRange& gap : gaps) remove(op, gap.offset, gap.length);
}

void TextSequence::insert_blank(OpRef op, CharRef parent, Side side, uint32_t length, const ReplicaOrder& order) {
  take({op, parent, side, length, {}, nullptr, 0}, order);
  remove(op, 0, length);
}

void TextSequence::take(const Run& run, const ReplicaOrder& order) {
  if (run.length == 0 || find(run.op) != kNoRun) return;
  Body& all = body();
  auto number = static_cast<uint32_t>(all.runs.size());
  all.runs.push_back(run);
  all.is_placed.push_back(false);
  if (all.runs.size() == kIndexFrom)
    for (uint32_t i = 0; i < all.runs.size(); ++i) all.index.at(all.runs[i].op.packed()) = i + 1;
  else if (all.runs.size() > kIndexFrom)
    all.index.at(run.op.packed()) = number + 1;
  ++all.waiting;
  if (!try_place(number, order) || all.waiting == 0) return;
  // Runs that waited for this one, and runs that waited for those.
  for (bool progress = true; progress && all.waiting > 0;) {
    progress = false;
    for (uint32_t i = 0; i < all.runs.size(); ++i)
      if (!all.is_placed[i] && try_place(i, order)) progress = true;
  }
}

uint32_t TextSequence::find(const OpRef& op) const {
  if (!body_) return one_.length > 0 && one_.op == op ? 0 : kNoRun;
  const auto& runs = body_->runs;
  if (runs.size() >= kIndexFrom) {
    const uint32_t* number = body_->index.find(op.packed());
    return number ? *number - 1 : kNoRun;
  }
  for (size_t i = runs.size(); i > 0; --i)
    if (runs[i - 1].op == op) return static_cast<uint32_t>(i - 1);
  return kNoRun;
}

size_t TextSequence::segment_of(uint32_t run, uint32_t offset) const {
  const auto& segments = body_->segments;
  if (size_t i = body_->last_at; i < segments.size() && segments[i].run == run &&
                                 offset - segments[i].offset < segments[i].length)
    return i;
  for (size_t i = 0; i < segments.size(); ++i)
    if (segments[i].run == run && offset - segments[i].offset < segments[i].length) return i;
  return segments.size();
}

// Cuts a segment so that `offset` begins one; returns that one.
size_t TextSequence::split(size_t segment, uint32_t offset) {
  auto& segments = body_->segments;
  Segment whole = segments[segment];
  if (offset == whole.offset) return segment;
  uint32_t first = offset - whole.offset;
  segments[segment].length = first;
  segments.insert(segments.begin() + static_cast<std::ptrdiff_t>(segment) + 1,
                  {whole.run, offset, whole.length - first, whole.is_removed});
  return segment + 1;
}

// The run through which `run` hangs on one side of a character; kNoRun when it hangs elsewhere.
uint32_t TextSequence::branch(uint32_t run, const CharRef& parent, Side side) const {
  for (;;) {
    const Run& at = body_->runs[run];
    if (at.parent == parent && at.side == side) return run;
    if (at.parent.op.is_nil()) return kNoRun;
    run = find(at.parent.op);  // placed runs hang on placed runs: this ends
  }
}

bool TextSequence::try_place(uint32_t number, const ReplicaOrder& order) {
  Body& all = *body_;
  const Run run = all.runs[number];
  auto& segments = all.segments;
  size_t at = 0;
  bool is_start = run.parent.op.is_nil();
  // Alone on its side of the character, as most runs are, it needs no place among brothers.
  uint32_t& brothers = all.brothers.at(place_key(run));
  if (!is_start) {
    uint32_t parent = find(run.parent.op);
    if (parent == kNoRun || !all.is_placed[parent] || run.parent.offset >= all.runs[parent].length) return false;
    at = segment_of(parent, run.parent.offset);
    if (run.side == Side::kAfter) {
      const Segment& around = segments[at];
      uint32_t next = run.parent.offset + 1;
      at = next < around.offset + around.length ? split(at, next) : at + 1;
    } else {
      at = split(at, run.parent.offset);
      // Brothers stand before the character: begin with the first of them.
      while (brothers > 0 && at > 0 && branch(segments[at - 1].run, run.parent, run.side) != kNoRun) --at;
    }
  }
  // Behind the brothers that come first in the order of ids, each with all that hangs on it.
  while (brothers > 0 && at < segments.size()) {
    uint32_t brother = branch(segments[at].run, run.parent, run.side);
    if (brother == kNoRun || order.less(run.op, all.runs[brother].op)) break;
    ++at;
  }
  segments.insert(segments.begin() + static_cast<std::ptrdiff_t>(at), {number, 0, run.length, false});
  all.is_placed[number] = true;
  all.last_at = at;
  all.visible += run.length;
  ++brothers;
  --all.waiting;
  // Removals that came before it.
  if (!all.early.empty()) {
    std::vector<Early> early;
    early.swap(all.early);
    for (const Early& one : early) {
      if (one.op != run.op)
        all.early.push_back(one);
      else
        remove(one.op, one.begin, one.end - one.begin);
    }
  }
  return true;
}

void TextSequence::remove(OpRef op, uint32_t offset, uint32_t length) {
  uint32_t run = find(op);
  body();
  uint32_t end = length > UINT32_MAX - offset ? UINT32_MAX : offset + length;
  uint32_t size = run == kNoRun || !body_->is_placed[run] ? 0 : body_->runs[run].length;
  if (offset < size) mark_removed(run, offset, std::min(end, size));
  if (end > size) remember(op, std::max(offset, size), end);
}

void TextSequence::mark_removed(uint32_t run, uint32_t begin, uint32_t end) {
  auto& segments = body_->segments;
  for (size_t i = 0; i < segments.size(); ++i) {
    Segment here = segments[i];
    if (here.run != run || here.offset + here.length <= begin) continue;
    if (here.offset >= end) return;
    if (here.is_removed) continue;
    if (here.offset < begin) {
      split(i, begin);
      continue;
    }
    if (here.offset + here.length > end) split(i, end);
    segments[i].is_removed = true;
    body_->visible -= segments[i].length;
    // A neighbour of the same run that is gone too is one with it.
    bool joins = i > 0 && segments[i - 1].run == run && segments[i - 1].is_removed &&
                 segments[i - 1].offset + segments[i - 1].length == segments[i].offset;
    if (joins) {
      segments[i - 1].length += segments[i].length;
      segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(i));
      --i;
    }
  }
}

void TextSequence::remember(const OpRef& op, uint32_t begin, uint32_t end) {
  auto& early = body_->early;
  for (size_t i = 0; i < early.size();) {
    bool touches = early[i].op == op && early[i].begin <= end && begin <= early[i].end;
    if (!touches) {
      ++i;
      continue;
    }
    begin = std::min(begin, early[i].begin);
    end = std::max(end, early[i].end);
    early.erase(early.begin() + static_cast<std::ptrdiff_t>(i));
    i = 0;
  }
  early.push_back({op, begin, end});
}

void TextSequence::redact(OpRef op) {
  uint32_t run = find(op);
  if (run == kNoRun) return;
  remove(op, 0, body().runs[run].length);
  body_->runs[run].text = {};
  body_->runs[run].gap_count = 0;
}

uint32_t TextSequence::length() const {
  return body_ ? body_->visible : one_.length;
}

void TextSequence::append_to(std::string& out) const {
  if (!body_) {
    out.append(one_.text);
    return;
  }
  for (const Segment& segment : body_->segments)
    if (!segment.is_removed) out.append(words_of(body_->runs[segment.run], segment.offset, segment.length));
}

std::string TextSequence::text() const {
  std::string text;
  append_to(text);
  return text;
}

bool TextSequence::has_child_after(const CharRef& id) const {
  if (!id.op.is_nil() && id.offset + 1 < body_->runs[find(id.op)].length) return true;
  return std::any_of(body_->runs.begin(), body_->runs.end(),
                     [&](const Run& run) { return run.parent == id && run.side == Side::kAfter; });
}

TextSequence::Place TextSequence::plan_insert(uint32_t position) const {
  if (!body_) {
    if (one_.length == 0) return {};
    if (position == 0) return {{one_.op, 0}, Side::kBefore};
    if (position < one_.length) return {{one_.op, position}, Side::kBefore};
    return {{one_.op, one_.length - 1}, Side::kAfter};
  }
  // `left`: the visible character before the position; `next`: what follows it in the walk, tombstones included.
  const auto& segments = body_->segments;
  CharRef left;
  size_t next = 0;
  uint32_t next_offset = 0;
  uint32_t seen = 0;
  for (size_t i = 0; i < segments.size() && seen < position; ++i) {
    const Segment& segment = segments[i];
    if (segment.is_removed) continue;
    uint32_t taken = std::min(segment.length, position - seen);
    seen += taken;
    left = {body_->runs[segment.run].op, segment.offset + taken - 1};
    bool is_inside = taken < segment.length;
    next = is_inside ? i : i + 1;
    next_offset = is_inside ? taken : 0;
  }
  if (next < segments.size() && has_child_after(left)) {
    const Segment& segment = segments[next];
    return {{body_->runs[segment.run].op, segment.offset + next_offset}, Side::kBefore};
  }
  return {left, Side::kAfter};
}

void TextSequence::plan_remove(uint32_t position, uint32_t count, std::vector<RefRange>& out) const {
  if (!body_) {
    if (position < one_.length && count > 0)
      out.push_back({one_.op, position, std::min(count, one_.length - position)});
    return;
  }
  uint32_t seen = 0;
  for (const Segment& segment : body_->segments) {
    if (segment.is_removed) continue;
    uint32_t begin = std::max(position, seen);
    uint32_t end = std::min(position + count, seen + segment.length);
    if (begin < end) out.push_back({body_->runs[segment.run].op, segment.offset + begin - seen, end - begin});
    seen += segment.length;
    if (seen >= position + count) break;
  }
}

std::string_view TextSequence::words_of(const Run& run, uint32_t offset, uint32_t length) {
  if (run.gap_count > 0) {
    uint32_t begin = worded_before(run, offset);
    length = worded_before(run, offset + length) - begin;
    offset = begin;
  } else if (run.text.size() == run.length) {
    return run.text.substr(offset, length);
  }
  std::string_view rest = run.text.substr(byte_offset(run.text, offset));
  return rest.substr(0, byte_offset(rest, length));
}

std::vector<TextSequence::Run> TextSequence::runs() const {
  if (body_) return body_->runs;
  if (one_.length == 0) return {};
  return {one_};
}

uint32_t TextSequence::run_length(const OpRef& op) const {
  uint32_t run = find(op);
  return run == kNoRun ? 0 : body_ ? body_->runs[run].length : one_.length;
}

TextSequence::Intervals TextSequence::removed_of(const OpRef& op) const {
  Intervals removed;
  uint32_t run = find(op);
  if (!body_ || run == kNoRun) return removed;
  for (const Segment& segment : body_->segments)
    if (segment.run == run && segment.is_removed) {
      if (!removed.empty() && removed.back().second == segment.offset)
        removed.back().second += segment.length;
      else
        removed.emplace_back(segment.offset, segment.offset + segment.length);
    }
  if (body_->is_placed[run]) return removed;
  for (const Early& early : body_->early)
    if (early.op == op) removed.emplace_back(early.begin, early.end);
  sort(removed);
  return removed;
}

std::vector<TextSequence::Intervals> TextSequence::removed() const {
  if (!body_) return std::vector<Intervals>(one_.length > 0 ? 1 : 0);
  std::vector<Intervals> removed(body_->runs.size());
  for (const Segment& segment : body_->segments) {
    if (!segment.is_removed) continue;
    Intervals& of_run = removed[segment.run];
    if (!of_run.empty() && of_run.back().second == segment.offset)
      of_run.back().second += segment.length;
    else
      of_run.emplace_back(segment.offset, segment.offset + segment.length);
  }
  for (const Early& early : body_->early)
    if (uint32_t run = find(early.op); run != kNoRun && !body_->is_placed[run])
      removed[run].emplace_back(early.begin, early.end);
  if (body_->waiting > 0)
    for (Intervals& of_run : removed) std::sort(of_run.begin(), of_run.end());
  return removed;
}

}  // namespace kalends
