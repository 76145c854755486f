// SPDX-License-Identifier: Apache-2.0
// Log as one JSON object a line on standard error, by spdlog.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "worker/ports/log.h"

namespace kalends {

// {"time":…,"level":…,"event":…,fields…}, without the line end. Public for its test.
std::string json_log_line(int64_t now_ms, LogLevel level, LogCode event,
                          std::initializer_list<LogField> fields);

class JsonLog final : public Log {
 public:
  explicit JsonLog(LogLevel lowest);
  // Writes to `stream` instead, which must outlive the log.
  JsonLog(LogLevel lowest, std::ostream& stream);
  ~JsonLog() override;
  void write(LogLevel level, LogCode event, std::initializer_list<LogField> fields) override;

 private:
  struct Sink;
  LogLevel lowest_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace kalends
