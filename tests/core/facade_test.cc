// SPDX-License-Identifier: Apache-2.0
// What the facade answers can be read, whatever it was asked.
#include <catch2/catch.hpp>

#include "core/api/facade.h"
#include "core/api/preview.h"

namespace kalends::test {

TEST_CASE("facade: the name of a field that is none is repeated as text") {
  Facade facade;
  std::string id(32, 'a');
  Cbor open = Cbor::map({{"call", "open"}, {"document", id}, {"kind", "board"}, {"replica", id}, {"author", id}});
  REQUIRE(decode_cbor(facade.call(encode_cbor(open)))->find("ok"));
  std::string long_name;
  for (int i = 0; i < 30; ++i) long_name += "ß";
  Cbor names[] = {"nothing", long_name, "x" + long_name, Cbor::bytes(Bytes{0x80, 0xFF, 0}), Cbor(), 7};
  for (const Cbor& name : names) {
    Cbor set = Cbor::map({{"do", "set"}, {"entity", id}, {"field", name}, {"value", "x"}});
    Cbor edit = Cbor::map({{"call", "edit"}, {"handle", 1}, {"now_ms", 1}, {"commands", Cbor::array({set})}});
    auto answer = decode_cbor(facade.call(encode_cbor(edit)));
    REQUIRE(answer.ok());
    CHECK((*answer)["error"]["code"].as_text() == "invalid");
  }
}

TEST_CASE("preview: the name of what is not known is repeated as text") {
  std::string name = "x";
  for (int i = 0; i < 30; ++i) name += "ß";
  auto answer = decode_cbor(preview(encode_cbor(Cbor::map({{"call", "preview"}, {name, 1}}))));
  REQUIRE(answer.ok());
  CHECK((*answer)["error"]["code"].as_text() == "invalid");
}

}  // namespace kalends::test
