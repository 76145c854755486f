// SPDX-License-Identifier: Apache-2.0
// A run's report as the ledger keeps it.
#pragma once

#include "worker/engine/link_engine.h"

namespace kalends {

Bytes encode_report(const RunReport& report);
// A report that cannot be read is an empty one.
RunReport decode_report(ByteView bytes);

}  // namespace kalends
