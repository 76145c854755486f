// SPDX-License-Identifier: Apache-2.0
// A file of settings is refused with a reason, or completed: then each address is one, and completing changes
// nothing more.
#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <sstream>

#include "core/base/check.h"
#include "worker/app/settings.h"
#include "worker/base/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  CLI::App app;
  Settings settings;
  add_settings(app, settings);
  std::istringstream file(std::string(reinterpret_cast<const char*>(data), size));
  try {
    app.parse_from_stream(file);
  } catch (const CLI::ParseError&) {
    return 0;
  }
  if (Status complete = complete_settings(settings); !complete.ok()) {
    KALENDS_CHECK(complete.error().code == ErrorCode::kInvalid && !complete.error().message.empty());
    return 0;
  }
  for (const std::string& address : {settings.public_url, settings.google_api_url, settings.google_token_url})
    KALENDS_CHECK(parse_url(address).ok() || settings.listen_port == 0);
  std::string public_url = settings.public_url;
  KALENDS_CHECK(complete_settings(settings).ok() && settings.public_url == public_url);
  return 0;
}
