// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/doorbell.h"

#include "worker/base/encoding.h"

namespace kalends {

std::string channel_token(WorkspaceId workspace, LinkId link, ByteView secret) {
  return to_hex(workspace) + "." + to_hex(link) + "." + base64url_encode(secret);
}

std::optional<Ring> read_ring(std::string_view channel_id, std::string_view token) {
  if (token.size() <= 66 || token[32] != '.' || token[65] != '.') return std::nullopt;
  auto workspace = id_from_hex(token.substr(0, 32));
  auto link = id_from_hex(token.substr(33, 32));
  auto channel = id_from_hex(channel_id);
  if (!workspace || !link || !channel) return std::nullopt;
  return Ring{WorkspaceId{*workspace}, LinkId{*link}, ChannelId{*channel}};
}

}  // namespace kalends
