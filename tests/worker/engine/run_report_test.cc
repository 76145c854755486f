// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/run_report.h"

#include <catch2/catch.hpp>

namespace kalends {
namespace {

TEST_CASE("A stored report with counts and codes that nobody wrote is read as one that can be written again") {
  RunReport report = decode_report(as_bytes(R"({"inserts":-1,"error":{"code":267,"message":"Later."}})"));
  CHECK(report.inserts == 0);
  REQUIRE(report.error);
  CHECK(report.error->code == ErrorCode::kInvalid);
  CHECK(report.error->message == "Later.");
  Bytes bytes = encode_report(report);
  CHECK(encode_report(decode_report(bytes)) == bytes);
}

}  // namespace
}  // namespace kalends
