// SPDX-License-Identifier: Apache-2.0
#include "core/reconcile/merge_text.h"

#include "core/base/text.h"

namespace kalends {
namespace {

std::string applied(std::string_view text, const Splice& splice) {
  size_t begin = byte_offset(text, splice.position);
  size_t length = byte_offset(text.substr(begin), splice.removed);
  return std::string(text.substr(0, begin)) + splice.inserted + std::string(text.substr(begin + length));
}

}  // namespace

std::optional<std::string> merge_text(std::string_view base, std::string_view ours, std::string_view theirs) {
  if (ours == theirs || theirs == base) return std::string(ours);
  if (ours == base) return std::string(theirs);
  Splice a = difference(base, ours);
  Splice b = difference(base, theirs);
  // Changes that touch have no order that both people would agree on.
  if (a.position + a.removed < b.position) return applied(applied(base, b), a);
  if (b.position + b.removed < a.position) return applied(applied(base, a), b);
  return std::nullopt;
}

}  // namespace kalends
