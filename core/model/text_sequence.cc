// SPDX-License-Identifier: Apache-2.0
#include "core/model/text_sequence.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/model/value.h"

namespace kalends {
namespace {

// What hangs on one side of one character, in the order of op ids.
using Children = std::map<std::pair<CharId, Side>, std::vector<const OpId*>>;

}  // namespace

void TextSequence::insert(const OpId& op, const TextInsert& run) {
  auto [it, is_new] = runs_.try_emplace(op, Run{run, code_point_count(run.text)});
  if (is_new) invalidate();
}

void TextSequence::remove(const CharRange& range) {
  Intervals& intervals = removed_[range.op];
  uint32_t begin = range.offset;
  uint32_t end = range.offset + range.length;
  auto it = intervals.upper_bound(begin);
  if (it != intervals.begin() && std::prev(it)->second >= begin) --it;
  while (it != intervals.end() && it->first <= end) {
    begin = std::min(begin, it->first);
    end = std::max(end, it->second);
    it = intervals.erase(it);
  }
  intervals.emplace(begin, end);
  invalidate();
}

void TextSequence::redact(const OpId& op) {
  auto it = runs_.find(op);
  if (it == runs_.end()) return;
  it->second.insert.text.assign(it->second.length, '?');
  remove({op, 0, it->second.length});
}

const std::vector<TextSequence::Segment>& TextSequence::segments() const {
  if (is_walked_) return segments_;
  segments_.clear();
  text_.clear();

  Children children;
  for (const auto& [op, run] : runs_) children[{run.insert.parent, run.insert.side}].push_back(&op);

  // A stack instead of recursion: chains are as long as the text. A frame is a run and how far it has been
  // walked.
  struct Frame {
    const OpId* op;
    const Run* run;
    uint32_t offset = 0;
    bool before_done = false;
  };
  std::vector<Frame> stack;
  auto push_children = [&](const CharId& id, Side side) {
    auto it = children.find({id, side});
    if (it == children.end()) return false;
    for (auto child = it->second.rbegin(); child != it->second.rend(); ++child)
      stack.push_back({*child, &runs_.find(**child)->second});
    children.erase(it);  // each child is walked once, whatever the input
    return true;
  };
  auto emit = [&](const Frame& frame) {
    bool is_removed = false;
    if (auto it = removed_.find(*frame.op); it != removed_.end()) {
      auto interval = it->second.upper_bound(frame.offset);
      is_removed = interval != it->second.begin() && std::prev(interval)->second > frame.offset;
    }
    if (!segments_.empty()) {
      Segment& last = segments_.back();
      if (last.op == *frame.op && last.is_removed == is_removed &&
          last.offset + last.length == frame.offset) {
        ++last.length;
        return;
      }
    }
    segments_.push_back({*frame.op, frame.offset, 1, is_removed});
  };

  push_children(CharId{}, Side::kAfter);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    if (frame.offset >= frame.run->length) {
      stack.pop_back();
      continue;
    }
    CharId id{*frame.op, frame.offset};
    if (!frame.before_done) {
      frame.before_done = true;
      if (push_children(id, Side::kBefore)) continue;  // `frame` may dangle from here
    }
    Frame& again = stack.back();
    emit(again);
    ++again.offset;
    again.before_done = false;
    push_children(id, Side::kAfter);
  }
  for (const Segment& segment : segments_) {
    if (segment.is_removed) continue;
    const std::string& text = runs_.find(segment.op)->second.insert.text;
    size_t begin = byte_offset(text, segment.offset);
    text_ += text.substr(begin, byte_offset(std::string_view(text).substr(begin), segment.length));
  }
  is_walked_ = true;
  return segments_;
}

const std::string& TextSequence::text() const {
  segments();
  return text_;
}

bool TextSequence::has_child_after(const CharId& id) const {
  if (!id.op.is_nil() && id.offset + 1 < runs_.find(id.op)->second.length) return true;
  return std::any_of(runs_.begin(), runs_.end(), [&](const auto& entry) {
    return entry.second.insert.parent == id && entry.second.insert.side == Side::kAfter;
  });
}

TextInsert TextSequence::plan_insert(uint32_t position, std::string_view text) const {
  const auto& all = segments();
  // `left`: the visible character before the position; `next`: what follows it in the walk, tombstones
  // included.
  CharId left;
  size_t next_index = 0;
  uint32_t next_offset = 0;
  uint32_t seen = 0;
  for (size_t i = 0; i < all.size() && seen < position; ++i) {
    if (all[i].is_removed) continue;
    uint32_t take = std::min(all[i].length, position - seen);
    seen += take;
    left = {all[i].op, all[i].offset + take - 1};
    bool is_inside = take < all[i].length;
    next_index = is_inside ? i : i + 1;
    next_offset = is_inside ? take : 0;
  }
  TextInsert insert;
  insert.text = std::string(text);
  if (next_index < all.size() && has_child_after(left)) {
    insert.parent = {all[next_index].op, all[next_index].offset + next_offset};
    insert.side = Side::kBefore;
  } else {
    insert.parent = left;
    insert.side = Side::kAfter;
  }
  return insert;
}

std::vector<CharRange> TextSequence::plan_remove(uint32_t position, uint32_t count) const {
  std::vector<CharRange> ranges;
  uint32_t seen = 0;
  for (const Segment& segment : segments()) {
    if (segment.is_removed) continue;
    uint32_t begin = std::max(position, seen);
    uint32_t end = std::min(position + count, seen + segment.length);
    if (begin < end) ranges.push_back({segment.op, segment.offset + begin - seen, end - begin});
    seen += segment.length;
    if (seen >= position + count) break;
  }
  return ranges;
}

void TextSequence::encode(Writer& out) const {
  out.varint(runs_.size());
  for (const auto& [op, run] : runs_) {
    write_op_id(out, op);
    write_op_id(out, run.insert.parent.op);
    out.varint(run.insert.parent.offset);
    out.u8(static_cast<uint8_t>(run.insert.side));
    out.text(run.insert.text);
  }
  out.varint(removed_.size());
  for (const auto& [op, intervals] : removed_) {
    write_op_id(out, op);
    out.varint(intervals.size());
    for (const auto& [begin, end] : intervals) {
      out.varint(begin);
      out.varint(end - begin);
    }
  }
}

TextSequence TextSequence::decode(Reader& in) {
  TextSequence sequence;
  for (size_t n = in.count(4); n > 0 && in.ok(); --n) {
    OpId op = read_op_id(in);
    TextInsert insert;
    insert.parent.op = read_op_id(in);
    insert.parent.offset = static_cast<uint32_t>(in.varint());
    insert.side = in.boolean() ? Side::kAfter : Side::kBefore;
    insert.text = std::string(in.text());
    sequence.insert(op, insert);
  }
  for (size_t n = in.count(2); n > 0 && in.ok(); --n) {
    OpId op = read_op_id(in);
    for (size_t k = in.count(2); k > 0 && in.ok(); --k) {
      auto begin = static_cast<uint32_t>(in.varint());
      auto length = static_cast<uint32_t>(in.varint());
      if (length == 0 || begin + length < begin)
        in.fail();
      else
        sequence.remove({op, begin, length});
    }
  }
  return sequence;
}

}  // namespace kalends
