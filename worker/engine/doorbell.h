// SPDX-License-Identifier: Apache-2.0
// What Google hands back with a push message: the channel's id, and the token that was given to it. The token
// carries workspace and link, so that nothing of another tenant is looked at, and a secret.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/id.h"
#include "worker/ports/store.h"

namespace kalends {

struct Ring {
  WorkspaceId workspace;
  LinkId link;
  ChannelId channel;
};

std::string channel_token(WorkspaceId workspace, LinkId link, ByteView secret);
// nullopt: no channel of ours rings like that. Whether the secret is right is the store's to say.
std::optional<Ring> read_ring(std::string_view channel_id, std::string_view token);

}  // namespace kalends
