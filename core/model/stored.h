// SPDX-License-Identifier: Apache-2.0
// Values as an open document keeps them: small, without destructors, texts and lists in the document's memory.
// Value (value.h) is the form that callers see.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/model/interner.h"
#include "core/model/schema.h"
#include "core/model/value.h"

namespace kalends {

struct StoredWhen {
  int64_t number;  // days, or seconds of the wall clock
  const char* zone;
  uint32_t zone_size;
  uint8_t form;  // 0 all-day, 1 timed, 2 timed and the second of two equal wall times
  std::string_view zone_text() const { return {zone, zone_size}; }
};

struct StoredPlace {
  IdRef list;
  OpRef parent;
  uint32_t rank_size;
  const char* rank;
  std::string_view rank_text() const { return {rank, rank_size}; }
};

struct Stored {
  ValueKind kind = ValueKind::kNull;
  uint32_t size = 0;  // bytes of a text, elements of a list
  union {
    int64_t number = 0;  // kBool, kInt; kId: an IdRef
    const char* text;
    const int64_t* ints;
    const StoredWhen* when;
    const StoredPlace* place;
  };
  std::string_view text_view() const {
    return kind == ValueKind::kText ? std::string_view(text, size) : std::string_view();
  }
};

bool same(const Stored& a, const Stored& b);

Stored stored_text(std::string_view kept);  // the bytes must stay where they are
Stored store(Interner& names, const Value& value);
Value unstore(const Interner& names, const Stored& stored);
When unstore_when(const StoredWhen& when);

// One value of one field, as operations carry it.
struct StoredField {
  Field field;
  IdRef key = 0;  // of a custom value; the element of a set
  Stored value;
};

}  // namespace kalends
