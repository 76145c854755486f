// SPDX-License-Identifier: Apache-2.0
// The query of a callback, or the body of the token service's answer: tokens that are taken can stand in a
// header, and a code can go into a form and come out of it again.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "tests/fuzz/mutate_json.h"
#include "worker/google/oauth.h"

namespace {

bool can_stand_in_a_header(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  std::string input(reinterpret_cast<const char*>(data), size);
  if (auto query = form_decode(input)) {
    std::string state = state_of_callback(*query);
    if (auto answer = parse_callback(*query); answer.ok()) {
      KALENDS_CHECK(can_stand_in_a_header(answer->code) && !state.empty() && answer->state == state);
      auto form = form_decode(code_exchange_request({}, answer->code, "v").body);
      KALENDS_CHECK(form && *find_field(*form, "code") == answer->code);
    }
  }
  for (int status : {200, 400, 401, 403, 429, 503}) {
    auto answer = parse_token_response({status, {}, input});
    KALENDS_CHECK(status == 200 || !answer.ok());
    if (!answer.ok()) continue;
    KALENDS_CHECK(can_stand_in_a_header(answer->access_token));
    KALENDS_CHECK(!answer->refresh_token || can_stand_in_a_header(*answer->refresh_token));
    KALENDS_CHECK(!answer->id_token || can_stand_in_a_header(*answer->id_token));
    KALENDS_CHECK(answer->life_seconds >= 0 && answer->life_seconds <= 86'400);
    std::string scopes;
    for (const std::string& scope : answer->scopes) scopes += scope + " ";
    KALENDS_CHECK(scopes_from_text(scopes) == answer->scopes);
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  kalends::Prng random(seed);
  return kalends::fuzz::mutate_json(data, size, max_size, random);
}
