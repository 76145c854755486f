// SPDX-License-Identifier: Apache-2.0
// Structured log: an event's name and fields of ids, counts, codes and durations. What people wrote, tokens
// and bodies have no way in: names and codes are literals of the source, and values are typed.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/error.h"
#include "core/base/id.h"

namespace kalends {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// A text that stands in the source code.
struct LogCode {
  template <size_t size>
  consteval LogCode(const char (&literal)[size]) : text(literal, size - 1) {}
  std::string_view text;
};

// A text that the operator gave in the settings (an address, a path). Never anything from a person or from
// Google.
struct LogSetting {
  explicit LogSetting(std::string value) : text(std::move(value)) {}
  std::string text;
};

struct LogField {
  using Value = std::variant<int64_t, bool, std::string_view, Id128, std::string>;

  LogField(LogCode field, int64_t number) : name(field.text), value(number) {}
  LogField(LogCode field, int number) : name(field.text), value(int64_t{number}) {}
  LogField(LogCode field, uint64_t number) : name(field.text), value(static_cast<int64_t>(number)) {}
  LogField(LogCode field, bool fact) : name(field.text), value(fact) {}
  LogField(LogCode field, LogCode code) : name(field.text), value(code.text) {}
  LogField(LogCode field, ErrorCode code) : name(field.text), value(error_code_name(code)) {}
  LogField(LogCode field, LogSetting setting) : name(field.text), value(std::move(setting.text)) {}
  template <typename Tag>
  LogField(LogCode field, const Id<Tag>& id) : name(field.text), value(id.raw) {}

  std::string_view name;
  Value value;
};

class Log {
 public:
  virtual ~Log() = default;
  // May be called from any thread.
  virtual void write(LogLevel level, LogCode event, std::initializer_list<LogField> fields) = 0;

  void debug(LogCode event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kDebug, event, fields);
  }
  void info(LogCode event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kInfo, event, fields);
  }
  void warning(LogCode event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kWarning, event, fields);
  }
  void error(LogCode event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kError, event, fields);
  }
};

}  // namespace kalends
