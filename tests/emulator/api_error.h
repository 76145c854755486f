// SPDX-License-Identifier: Apache-2.0
// Google's refusals. A method of the model throws one; CalendarModel::handle catches it and renders the
// envelope, so no exception ever leaves the model.
#pragma once

#include <optional>
#include <string>

#include "tests/emulator/message.h"

namespace kalends::emulator {

struct ApiError {
  int status = 400;
  std::string domain = "global";
  std::string reason;
  std::string message;
  std::string location_type = {};
  std::string location = {};
  // With the newer front end: "status" and one google.rpc.ErrorInfo with this reason.
  std::string rpc_status = {};
  std::string rpc_reason = {};
  std::optional<int> retry_after = {};  // seconds

  Json envelope() const;
  Response response() const;
};

ApiError bad_request(std::string reason, std::string message);
ApiError bad_parameter(std::string reason, std::string message, std::string parameter);
ApiError bad_time(std::string message);
ApiError not_found_error();
ApiError gone_error();
ApiError duplicate_error();
ApiError precondition_failed();
ApiError full_sync_required();
ApiError invalid_credentials();
ApiError insufficient_scopes();
ApiError needs_writer_access();
ApiError needs_owner_access();
ApiError forbidden(std::string message);
ApiError shared_property_by_guest();
ApiError user_rate_limit(int status);
ApiError project_rate_limit(int status);
ApiError usage_limits_exceeded();
ApiError backend_error(int status);

}  // namespace kalends::emulator
