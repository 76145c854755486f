// SPDX-License-Identifier: Apache-2.0
// SHA-256, 32 bytes.
#pragma once

#include "core/base/bytes.h"

namespace kalends {

Bytes sha256(ByteView input);

}  // namespace kalends
