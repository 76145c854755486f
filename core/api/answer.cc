// SPDX-License-Identifier: Apache-2.0
#include "core/api/answer.h"

#include "core/base/text.h"

namespace kalends {

Bytes answer_of(Result<Cbor> result) {
  if (!result.ok()) return error_answer(result.error());
  Cbor envelope = Cbor::map();
  envelope.set("ok", std::move(result).value());
  return encode_cbor(envelope);
}

Bytes error_answer(const Error& error) {
  Cbor map = Cbor::map();
  map.set("code", error_code_name(error.code));
  map.set("message", error.message);
  map.set("retry_after_ms", error.retry_after_ms);
  Cbor envelope = Cbor::map();
  envelope.set("error", std::move(map));
  return encode_cbor(envelope);
}

std::string_view shown_name(std::string_view name) {
  std::string_view shown = name.substr(0, 40);
  while (!is_valid_text(shown)) shown.remove_suffix(1);
  return shown;
}

}  // namespace kalends
