// SPDX-License-Identifier: Apache-2.0
#include "worker/app/json_log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace kalends {
namespace {

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string utc_text(int64_t now_ms) {
  std::time_t seconds = now_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(now_ms % 1000));
  return text;
}

// Escapes, and replaces what is not UTF-8 instead of throwing.
std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

struct ValueText {
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::string_view value) const { return json_text(value); }
  std::string operator()(const std::string& value) const { return json_text(value); }
  std::string operator()(const Id128& value) const { return json_text(to_hex(value)); }
};

}  // namespace

std::string json_log_line(int64_t now_ms, LogLevel level, LogCode event,
                          std::initializer_list<LogField> fields) {
  std::string line = "{\"time\":" + json_text(utc_text(now_ms)) +
                     ",\"level\":" + json_text(level_name(level)) + ",\"event\":" + json_text(event.text);
  for (const LogField& field : fields) {
    line += "," + json_text(field.name) + ":" + std::visit(ValueText{}, field.value);
  }
  return line + "}";
}

struct JsonLog::Sink {
  explicit Sink(spdlog::sink_ptr target) : logger("kalends", std::move(target)) {
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }
  spdlog::logger logger;
};

JsonLog::JsonLog(LogLevel lowest)
    : lowest_(lowest), sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::stderr_sink_mt>())) {}
JsonLog::JsonLog(LogLevel lowest, std::ostream& stream)
    : lowest_(lowest),
      sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::ostream_sink_mt>(stream))) {}
JsonLog::~JsonLog() = default;

void JsonLog::write(LogLevel level, LogCode event, std::initializer_list<LogField> fields) {
  if (level < lowest_) return;
  auto now = std::chrono::system_clock::now().time_since_epoch();
  int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  sink_->logger.log(spdlog::level::info, spdlog::string_view_t(json_log_line(now_ms, level, event, fields)));
}

}  // namespace kalends
